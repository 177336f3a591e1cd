import type { GatewayError } from '../core/errors.ts'
import type { JsonObject } from '../core/json/json.ts'
import type { Log } from '../core/log.ts'
import type { ListedKind } from '../core/mcp/capabilities.ts'
import type { FrameId } from '../core/mcp/frame-model.ts'
import type { Clock, CounterStore, RecordStore } from '../core/ports.ts'
import type { Grant, ServerEntry } from '../core/snapshot.ts'
import type { Catalogue } from './catalogue.ts'
import type { Channels } from './channels.ts'
import type { MirrorHeaders } from './mirror.ts'
import type { Seal } from './seal.ts'
import type { LiveSession } from './sessions.ts'
import type { Era, ReplySink, Upstream } from './upstream/upstream.ts'

/** A server with what the gateway holds for it while it is configured. */
export interface OpenServer {
  readonly entry: ServerEntry
  readonly upstream: Upstream
  readonly catalogue: Catalogue
  readonly tasks: TaskLedger
  readonly refresh: Refresh
  readonly offers: Offers
}

/** What a server said that it lists, as it was last heard; undefined until then. */
export interface Offers {
  kinds: ReadonlySet<ListedKind> | undefined
}

/** When the server was last asked for its tools, and how that went. */
export interface Refresh {
  at: number
  running: Promise<void> | undefined
  isStale: boolean
  /** Why it gave no list the last time; undefined when it did. */
  failure: GatewayError | undefined
}

/** Which grant's call made a task, so that nobody else can reach it. */
export type TaskLedger = Map<string, { readonly grantId: string; readonly tool: string }>

/** What the stages of the pipeline stand on. */
export interface Gate {
  readonly counters: CounterStore
  readonly records: RecordStore
  readonly clock: Clock
  /** A monotonic clock in milliseconds, for durations. */
  readonly elapsed: () => number
  readonly newId: () => string
  readonly log: Log
  /** For what a client must send back to us as we gave it. */
  readonly seal: Seal
  /** The same for places in lists. */
  readonly cursors: Seal
  /** The ways on which clients are told that their lists have changed. */
  readonly channels: Channels
  /** The grant of an id as it is now; undefined when it is no more. */
  readonly grantOf: (id: string) => Grant | undefined
  /** `strict`: a call is on record, durably, before it is forwarded. */
  readonly audit: 'buffered' | 'strict'
}

/** Who sends a frame, over which connection: everything but the frame itself. */
export interface Caller {
  readonly grant: Grant
  readonly server: OpenServer
  readonly era: Era
  readonly protocolVersion: string
  readonly session: LiveSession | undefined
  readonly client: { readonly name: string; readonly version: string }
  /** The `_meta` by which a stateless request says whose it is; absent where there are sessions. */
  readonly envelope?: JsonObject
  /** Request headers that may pass to an HTTP upstream: name, value, … in lower case. */
  readonly headers: readonly string[]
  /** Absent over stdio, which has no headers. */
  readonly mirrors: MirrorHeaders | undefined
}

/** Where an answer goes: a downstream connection. */
export interface AnswerSink extends ReplySink {
  /** A message of the gateway's own; `status` is for HTTP. */
  reply(text: string, status: number): void
  /** A notification of the gateway's own, on a stream that is open; the same one waits only once. */
  notify(text: string): void
  /** Opens a session for the client over the upstream's (if any); gives its id. */
  openSession(upstream: string | undefined, protocolVersion: string): string | undefined
}

/** The id that an answer to a frame has; a response is not answered, and its id is of another request. */
export const answerIdOf = (frame: { kind: string; id?: FrameId }): FrameId | undefined =>
  frame.kind === 'request' ? frame.id : undefined

/** The id of a frame; undefined for a notification. */
export const idOf = (frame: { kind: string; id?: FrameId }): FrameId | undefined =>
  frame.kind === 'notification' ? undefined : frame.id
