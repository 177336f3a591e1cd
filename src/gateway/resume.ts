import { GatewayError } from '../core/errors.ts'
import { isObject, member } from '../core/json/json.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamExchange,
  UpstreamRequest,
} from './upstream/upstream.ts'

/** What a server that names no time is given before it is asked to go on. */
const RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000
const GONE = 'its stream could not be resumed'
/** How often in a row a stream is resumed without anything new on it. */
const MAX_IN_VAIN = 5

/** A request, which has an answer. */
type Asked = UpstreamRequest & { readonly frame: RequestFrame }

/**
 * Sends a request for a client that has no streams of its own to resume: when the server closes the
 * stream of the answer, the gateway goes on from the last event, as the server's `retry` says.
 */
export function exchangeResuming(
  upstream: Upstream,
  request: Asked,
  sink: ReplySink,
): UpstreamExchange {
  const resuming = new Resuming(upstream, request, sink)
  resuming.start()
  return resuming
}

class Resuming implements ReplySink, UpstreamExchange {
  readonly #upstream: Upstream
  readonly #request: Asked
  readonly #sink: ReplySink
  #current: UpstreamExchange | undefined
  #timer: NodeJS.Timeout | undefined
  #lastId: string | undefined
  #retryMs = RETRY_MS
  #inVain = 0
  #isStream = false
  #isResumed = false
  #isAnswered = false
  #isOver = false

  constructor(upstream: Upstream, request: Asked, sink: ReplySink) {
    this.#upstream = upstream
    this.#request = request
    this.#sink = sink
  }

  start(): void {
    this.#current = this.#upstream.exchange(this.#request, this)
  }

  cancel(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#current?.cancel()
  }

  head(head: Head): void {
    this.#isStream = head.kind === 'events'
    // What comes later goes on in the answer that has begun.
    if (this.#isResumed) return
    this.#sink.head(head)
  }

  chunk(bytes: Uint8Array): boolean {
    // Only a refusal to resume has a body.
    return this.#isResumed || this.#sink.chunk(bytes)
  }

  event(event: UpstreamEvent): boolean {
    if (this.#isOver) return true
    if (event.id !== undefined && event.id !== '') this.#lastId = event.id
    if (event.retry !== undefined) this.#retryMs = Math.min(Number(event.retry), MAX_RETRY_MS)
    if (event.data === '') return true
    this.#inVain = 0
    const mayFlow = this.#sink.event(event)
    if (isAnswer(event.data, this.#request.frame.id)) {
      this.#isAnswered = true
      // The stream of the request ends by itself; one that was resumed may be the session's own.
      if (this.#isResumed) this.#finish()
    }
    return mayFlow
  }

  #finish(): void {
    this.#isOver = true
    this.#current?.cancel()
    this.#sink.end()
  }

  end(): void {
    if (this.#isOver || this.#resumeLater()) return
    this.#isOver = true
    if (this.#isResumed) this.#sink.fail(new GatewayError('upstream_lost', GONE), true)
    else this.#sink.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver || this.#resumeLater()) return
    this.#isOver = true
    if (this.#isResumed) this.#sink.fail(new GatewayError('upstream_lost', GONE), true)
    else this.#sink.fail(error, wasSent)
  }

  /** True when the stream is to be gone on with. */
  #resumeLater(): boolean {
    const id = this.#lastId
    if (this.#isAnswered || !this.#isStream || id === undefined) return false
    if (this.#inVain >= MAX_IN_VAIN) return false
    this.#inVain += 1
    this.#timer = setTimeout(() => this.#resume(id), this.#retryMs)
    return true
  }

  #resume(id: string): void {
    this.#isResumed = true
    const { frame: _, bytes: __, headers, ...around } = this.#request
    const passing = headers.filter((_, i) => headers[i - (i % 2)] !== 'accept')
    this.#current = this.#upstream.listen(
      { ...around, headers: [...passing, 'last-event-id', id] },
      this,
    )
    if (this.#isOver) this.#current.cancel()
  }

  onDrain(resume: () => void): void {
    this.#sink.onDrain(resume)
  }
}

function isAnswer(text: string, id: RequestFrame['id']): boolean {
  try {
    const message = parseJson(text)
    return (
      isObject(message) && member(message, 'method') === undefined && member(message, 'id') === id
    )
  } catch {
    return false
  }
}
