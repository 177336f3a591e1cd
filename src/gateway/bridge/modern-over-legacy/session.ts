import { GatewayError } from '../../../core/errors.ts'
import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import { isLegacyVersion } from '../../../core/mcp/revisions.ts'
import { type Incoming, idIn, objectIn, readTexts } from '../../upstream/incoming.ts'
import { cancelled } from '../../upstream/own-messages.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import {
  ACCEPT,
  type Around,
  ask,
  framed,
  notificationFrame,
  requestFrame,
  resultOf,
  tell,
} from '../ask.ts'
import { NEWEST_LEGACY, OURSELVES } from '../probe.ts'
import { keepOpen, type Listening } from './listen.ts'
import { ResourceWishes } from './resource-wishes.ts'
import { type Client, textAt } from './text.ts'

/** What a call in flight takes of what the server says. */
export interface Receiver {
  /** A request of the server; false when this call can't be asked. */
  asked(message: Extract<Incoming, { kind: 'request' }>): boolean
  /** Something of the server's that may be for this call; `isOwn` when its own stream brought it. */
  told(message: Extract<Incoming, { kind: 'notification' }>, isOwn: boolean): void
  /** The least severe message that it wants in its log; undefined when it wants none. */
  readonly logLevel: string | undefined
}

/** Whoever wants to hear of changes. */
export type Subscriber = (message: Extract<Incoming, { kind: 'notification' }>) => void

const OPEN_MS = 60_000
const SHORT_MS = 30_000
/** Everything that can be logged, the least severe first. */
export const LEVELS: readonly string[] = [
  ...['debug', 'info', 'notice', 'warning'],
  ...['error', 'critical', 'alert', 'emergency'],
]

/** One session with the server, for all requests of clients that are alike. */
export class BridgeSession {
  readonly client: Client
  readonly #inner: Upstream
  readonly #grantId: string
  readonly #now: () => number
  #around: Around
  #initialized = ''
  #serverInfo: string | undefined
  #result: JsonObject = {}
  #nextId = 1
  /** The least severe that is logged, by its place among all. */
  #level = Number.POSITIVE_INFINITY
  #levelled: Promise<unknown> = Promise.resolve()
  #listening: Listening | undefined
  #isLost = false
  readonly #calls = new Map<number, Receiver>()
  readonly #subscribers = new Set<Subscriber>()
  readonly #wishes = new ResourceWishes((method, uri) =>
    this.#isLost ? Promise.resolve(false) : this.request(method, { uri }),
  )
  readonly #ends = new Set<() => void>()
  usedAt: number

  constructor(
    inner: Upstream,
    client: Client,
    { grantId, now }: { grantId: string; now: () => number },
  ) {
    this.client = client
    this.#inner = inner
    this.#grantId = grantId
    this.#now = now
    this.usedAt = now()
    this.#around = {
      era: 'legacy',
      protocolVersion: NEWEST_LEGACY,
      session: undefined,
      grantId,
      headers: ACCEPT,
    }
  }

  /**
   * Initializes it.
   * @throws GatewayError when the server gives no session.
   */
  async open(): Promise<void> {
    const { capabilities, info } = this.client
    const params = {
      protocolVersion: NEWEST_LEGACY,
      capabilities,
      clientInfo:
        typeof info.name === 'string' && typeof info.version === 'string' ? info : OURSELVES,
    }
    const frame = requestFrame(this.newId(), 'initialize', params)
    const asked = await ask(this.#inner, this.#around, frame, OPEN_MS)
    if (asked.failure !== undefined) throw asked.failure
    const result = resultOf(asked)
    const version = result === undefined ? undefined : member(result, 'protocolVersion')
    if (result === undefined || typeof version !== 'string' || !isLegacyVersion(version))
      throw new GatewayError('upstream_broken', 'it did not open a session')
    this.#result = result
    this.#initialized = asked.text
    this.#serverInfo = textAt(asked.text, 'result', 'serverInfo')
    this.#around = { ...this.#around, protocolVersion: version, session: asked.session }
    await tell(this.#inner, this.#around, notificationFrame('notifications/initialized'))
    // Many servers ask on the stream that belongs to no request: it must be open before they do.
    if (this.canBeAsked()) await this.listen()
  }

  get isLost(): boolean {
    return this.#isLost
  }
  /** The answer to `initialize`, as the server wrote it. */
  get initialized(): string {
    return this.#initialized
  }
  /** What the server says of itself, as it wrote it. */
  get serverInfo(): string | undefined {
    return this.#serverInfo
  }
  get around(): Around {
    return this.#around
  }
  get isIdle(): boolean {
    return this.#calls.size === 0 && this.#subscribers.size === 0
  }

  newId(): number {
    return this.#nextId++
  }

  /** True when the server has a capability, or a part of it. */
  offers(capability: string, part?: string): boolean {
    const own = member(objectIn(this.#result, 'capabilities'), capability)
    return isObject(own) && (part === undefined || member(own, part) === true)
  }

  canBeAsked(): boolean {
    const { capabilities } = this.client
    return ['elicitation', 'sampling', 'roots'].some((one) => isObject(member(capabilities, one)))
  }

  /** A call is in flight under this id. */
  add(id: number, call: Receiver): void {
    this.usedAt = this.#now()
    this.#calls.set(id, call)
  }

  remove(id: number): void {
    this.usedAt = this.#now()
    this.#calls.delete(id)
  }

  /** Opens the stream that belongs to no request; false when the server has none. */
  listen(): Promise<boolean> {
    this.#listening ??= keepOpen(this.#inner, () => this.#around, {
      message: (message) => this.#loose(message),
      lost: () => this.lose(),
    })
    return this.#listening.opened
  }

  /** Takes what comes on a stream and is not the call's own; false when nobody wants it. */
  take(message: Exclude<Incoming, { kind: 'response' }>, from?: Receiver): void {
    if (message.kind === 'request') this.#asked(message, from)
    else this.#told(message, from)
  }

  #loose(data: string): void {
    for (const message of readTexts(data)) if (message.kind !== 'response') this.take(message)
  }

  #asked(message: Extract<Incoming, { kind: 'request' }>, from: Receiver | undefined): void {
    if (message.method === 'ping') {
      this.respond(message.id, '{}')
      return
    }
    // The stream of a call says whose question it is, mostly; else the newest call that can be asked.
    const newest = [...this.#calls.values()].reverse()
    if (from?.asked(message) !== true && !newest.some((call) => call.asked(message)))
      this.refuse(message.id, 'no client can be asked here')
  }

  #told(message: Extract<Incoming, { kind: 'notification' }>, from: Receiver | undefined): void {
    const { method, params } = message
    if (CHANGES.test(method) || method === ELICITED)
      for (const tell of this.#subscribers) tell(message)
    else if (method === 'notifications/cancelled')
      // A question may have gone to another call than the one on whose stream it came.
      for (const call of this.#calls.values()) call.told(message, call === from)
    else {
      const token = idIn(params, 'progressToken')
      const call =
        method === 'notifications/progress'
          ? typeof token === 'number'
            ? this.#calls.get(token)
            : undefined
          : (from ?? (method === 'notifications/message' ? this.#lastLogged() : undefined))
      call?.told(message, call === from)
    }
  }

  #lastLogged(): Receiver | undefined {
    return [...this.#calls.values()].findLast((call) => call.logLevel !== undefined)
  }

  /** Answers a request of the server with the text of a result. */
  respond(id: string | number, result: string): void {
    this.#send({ id, text: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}` })
  }

  /** Answers a request of the server that nobody will answer. */
  refuse(id: string | number, message: string): void {
    const error = { code: -32601, message }
    this.#send({ id, text: JSON.stringify({ jsonrpc: '2.0', id, error }) })
  }

  #send({ id, text }: { id: string | number; text: string }): void {
    const { result, error } = parseJson(text) as JsonObject & Body
    void tell(this.#inner, this.#around, { kind: 'response', id, result, error, text })
  }

  /** Tells the server that nobody waits for a call any more. */
  cancel(id: number, reason: string): void {
    const text = cancelled(id, reason).toString('utf8')
    const params = { requestId: id, reason }
    const frame = { kind: 'notification', method: 'notifications/cancelled', params, text } as const
    this.#inner.exchange(framed(this.#around, frame), IGNORING)
  }

  /** Makes the server log at least what a call wants; it never logs less again. */
  logAtLeast(level: string): Promise<unknown> {
    const wanted = LEVELS.indexOf(level)
    if (wanted !== -1 && wanted < this.#level) {
      this.#level = wanted
      this.#levelled = this.request('logging/setLevel', { level })
    }
    return this.#levelled
  }

  /** A request of the bridge's own; true when the server did it. */
  async request(method: string, params: JsonObject): Promise<boolean> {
    const frame = requestFrame(this.newId(), method, params)
    const asked = await ask(this.#inner, this.#around, frame, SHORT_MS)
    return resultOf(asked) !== undefined
  }

  /** Hears of changes from now on; gives what ends that. `ended` is called when the session goes. */
  subscribe(subscriber: Subscriber, ended: () => void): () => void {
    this.#subscribers.add(subscriber)
    this.#ends.add(ended)
    return () => {
      this.#subscribers.delete(subscriber)
      this.#ends.delete(ended)
      this.usedAt = this.#now()
    }
  }

  /** Wants to hear of a resource; true when the server tells of it. */
  want(uri: string): Promise<boolean> {
    return this.#wishes.add(uri)
  }

  /** One less wants to hear of a resource. */
  unwant(uri: string): void {
    this.#wishes.remove(uri)
  }

  /** The server knows it no more, or it is given up: whoever hears of changes is told. */
  lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#listening?.stop()
    for (const ended of [...this.#ends]) ended()
  }

  async close(): Promise<void> {
    if (this.#isLost) return
    this.lose()
    if (this.#around.session === undefined) return
    const limit = new Promise<void>((resolve) => setTimeout(resolve, 2_000).unref())
    const ended = this.#inner.endSession(this.#around).then(
      () => {},
      () => {},
    )
    await Promise.race([ended, limit])
  }

  get grantId(): string {
    return this.#grantId
  }
}

/** The server says that what a client was sent to a page for is done. */
export const ELICITED = 'notifications/elicitation/complete'
const CHANGES = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/

const IGNORING = {
  head() {},
  chunk: () => true,
  event: () => true,
  end() {},
  fail() {},
  onDrain() {},
}

/** What an answer of the gateway's own holds. */
interface Body {
  readonly result: Json | undefined
  readonly error: JsonObject | undefined
}
