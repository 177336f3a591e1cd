import { GatewayError } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json/json.ts'
import type { Frame, RequestFrame } from '../../../core/mcp/frame-model.ts'
import { errorReply } from '../../../core/mcp/reply.ts'
import type { Clock } from '../../../core/ports.ts'
import { ClientReply, keeping, resume, takesEvents } from '../../upstream/client-reply.ts'
import type { EventLog } from '../../upstream/event-log.ts'
import { idIn, idKey } from '../../upstream/incoming.ts'
import { refuse } from '../../upstream/reply.ts'
import type { ReplySink, Upstream, UpstreamExchange } from '../../upstream/upstream.ts'
import { BridgedCall } from './bridged-call.ts'
import { Changes } from './changes.ts'
import type { Around } from './own-questions.ts'
import type { Waiting } from './rounds.ts'
import type { SessionFacts } from './session-id.ts'
import type { Tabled } from './session-table.ts'
import { type Stamp, stamped, stampOf } from './stamp.ts'
import type { ToolTable } from './tool-table.ts'

/** What a session needs of its bridge. */
export interface SessionMeans {
  readonly inner: Upstream
  readonly clock: Clock
  readonly tools: ToolTable
  readonly log: EventLog
  readonly primeAfterMs: number
  /** Reads the server's tools again, in the name of the session. */
  readonly learnTools: (session: Session, isUrgent: boolean) => Promise<void>
  /** What the server can do, as it says to this session. */
  readonly serverCapabilities: (session: Session) => Promise<JsonObject>
  readonly onVersionRefused: (session: Session) => void
}

/** Requests of one session at once. */
const MAX_CALLS = 1_000
/** The level of a session that has not named one: servers with sessions send what they find useful. */
const LEVEL = 'info'

/** One session: what it is made of, and what is under way in it. */
export class Session implements Tabled {
  readonly key: string
  readonly facts: SessionFacts
  readonly around: Around
  readonly #means: SessionMeans
  readonly #capabilities: JsonObject
  readonly #calls = new Map<string, BridgedCall>()
  readonly #waiting: Waiting = new Map()
  readonly #changes: Changes
  #stamp: Stamp

  constructor(key: string, facts: SessionFacts, around: Around, means: SessionMeans) {
    this.key = key
    this.facts = facts
    this.around = around
    this.#means = means
    this.#capabilities = JSON.parse(facts.capabilities) as JsonObject
    this.#stamp = stampOf(facts, facts.hasLogging ? LEVEL : undefined)
    this.#changes = new Changes({
      inner: means.inner,
      around,
      clock: means.clock,
      stamp: () => this.#stamp,
      serverCapabilities: () => means.serverCapabilities(this),
    })
  }

  get stamp(): Stamp {
    return this.#stamp
  }

  get grantId(): string {
    return this.around.grantId
  }

  /** Nothing is under way, and nobody listens. */
  get isIdle(): boolean {
    return this.#calls.size === 0 && !this.#changes.isRead
  }

  /** Log messages from this level on. */
  setLevel(level: string): void {
    this.#stamp = stampOf(this.facts, level)
  }

  /** Sends a request through the server. */
  call(around: Around, frame: RequestFrame, sink: ReplySink): UpstreamExchange {
    const key = idKey(frame.id)
    const refusal = this.#calls.has(key)
      ? new GatewayError('frame_invalid', 'a request with this id is in flight already')
      : this.#calls.size >= MAX_CALLS
        ? new GatewayError('too_busy')
        : undefined
    if (refusal !== undefined) {
      refuse(sink, refusal)
      return { cancel() {} }
    }
    const { inner, tools, log, primeAfterMs, learnTools, onVersionRefused } = this.#means
    const { version } = this.facts
    const reply = new ClientReply(sink, {
      takesEvents: takesEvents(around.headers),
      ...keeping(frame.method, version, { primeAfterMs, open: () => log.open(this.key) }),
      errorText: (error) =>
        errorReply(frame.id, error, { isModern: false, protocolVersion: version }),
    })
    const call = new BridgedCall(
      {
        inner,
        tools,
        learnTools: (isUrgent) => learnTools(this, isUrgent),
        waiting: this.#waiting,
        capabilities: takesEvents(around.headers) ? this.#capabilities : {},
        onVersionRefused: () => onVersionRefused(this),
        onOver: () => this.#calls.delete(key),
      },
      around,
      stamped(frame, this.#stamp),
      reply,
    )
    this.#calls.set(key, call)
    call.start()
    return { cancel: () => call.leave() }
  }

  /** What the client says without expecting an answer: only a cancellation concerns a stateless server. */
  notified(frame: Extract<Frame, { kind: 'notification' }>): void {
    if (frame.method !== 'notifications/cancelled') return
    const id = idIn(frame.params, 'requestId')
    if (id !== undefined) this.#calls.get(idKey(id))?.abort()
  }

  /** True when somebody waited for this response. */
  answered(frame: Extract<Frame, { kind: 'response' }>): boolean {
    const take = this.#waiting.get(idKey(frame.id))
    take?.(frame)
    return take !== undefined
  }

  /**
   * Watches a resource, or stops; false when the server does not agree.
   * @throws GatewayError when it does not say.
   */
  watch(uri: string, isWatched: boolean): Promise<boolean> {
    return this.#changes.watch(uri, isWatched)
  }

  /** Opens the stream of what belongs to no request; with the id of an event, reads on behind it. */
  listen(lastEventId: string | undefined, sink: ReplySink): UpstreamExchange {
    const lost = lastEventId === undefined ? undefined : this.#means.log.find(this.key, lastEventId)
    if (lost !== undefined) return resume(lost.stream, lost.number, sink)
    return this.#changes.listen(sink)
  }

  /** Ends everything that is under way. */
  close(error: GatewayError): void {
    for (const call of [...this.#calls.values()]) call.fail(error)
    this.#changes.close()
    this.#means.log.leave(this.key)
  }
}
