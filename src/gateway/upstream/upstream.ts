import type { GatewayError } from '../../core/errors.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'

/** The two eras of the protocol: with sessions (up to 2025-11-25), and stateless (2026-07-28). */
export type Era = 'legacy' | 'modern'

/** One judged frame on its way to an upstream. */
export interface UpstreamRequest {
  readonly frame: Frame
  /** `frame.text` as bytes. */
  readonly bytes: Uint8Array
  readonly era: Era
  readonly protocolVersion: string
  /** The upstream's own session, as it named it in `Head.session`; undefined before and without one. */
  readonly session: string | undefined
  /** Whose exchange it is: processes and connections are never shared between grants. */
  readonly grantId: string
  /** Further request headers for HTTP upstreams, already reduced to what may pass; name, value, … */
  readonly headers: readonly string[]
  /** The client may lose the stream of the answer and come back for it by itself (legacy only). */
  readonly mayReturn?: boolean
}

/** How an upstream begins to answer. */
export interface Head {
  /** HTTP status; 200 for a process. */
  readonly status: number
  /** `json`: one body in chunks · `events`: a stream of events · `empty`: no body (202, 204, …). */
  readonly kind: 'json' | 'events' | 'empty'
  /** Byte length of a JSON body where it is known. */
  readonly length: number | undefined
  /** The session that the upstream opened with this answer. */
  readonly session: string | undefined
  /** What kind of result a stateless server says that a JSON body holds, where it says so. */
  readonly resultType?: string
}

/** One message from an upstream in a stream. */
export interface UpstreamEvent {
  /** The message's JSON text; empty for an event that carries none (a priming event, a comment). */
  readonly data: string
  /** `id:` and `retry:` of the event stream, where there were any. */
  readonly id?: string
  readonly retry?: string
  /** `event:` where it is another type than `message`. */
  readonly event?: string
}

/**
 * Receives what comes back for one request, in order: `head`, then `chunk`s or `event`s, then
 * exactly one of `end` and `fail`. `fail` may also come first.
 */
export interface ReplySink {
  head(head: Head): void
  /** False asks the upstream to pause until `onDrain`'s callback runs. */
  chunk(bytes: Uint8Array): boolean
  /** The same back-pressure. */
  event(event: UpstreamEvent): boolean
  end(): void
  /** `wasSent` is false when the gateway knows that the upstream never took the request. */
  fail(error: GatewayError, wasSent: boolean): void
  /** Registers what to run once the sink takes more. */
  onDrain(resume: () => void): void
}

/** An exchange under way. */
export interface UpstreamExchange {
  /** The caller has gone: stop, and let the upstream know in the way of its era and transport. */
  cancel(): void
}

/** A server that we connect to. Every implementation passes `test/contract/upstream.ts`. */
export interface Upstream {
  /** Sends one frame; for notifications and responses the sink gets `head` (empty) and `end`. */
  exchange(request: UpstreamRequest, sink: ReplySink): UpstreamExchange
  /** Opens the stream of messages that belong to no request (legacy sessions only). */
  listen(request: Omit<UpstreamRequest, 'frame' | 'bytes'>, sink: ReplySink): UpstreamExchange
  /** Ends a session. Resolves with the upstream's HTTP status (200 for a process). */
  endSession(request: Omit<UpstreamRequest, 'frame' | 'bytes'>): Promise<number>
  /** Ends everything: processes get stdin closed, SIGTERM, SIGKILL; connections are drained. */
  close(): Promise<void>
}
