import { GatewayError } from '../../core/errors.ts'
import { isObject, member } from '../../core/json/json.ts'
import type { Log } from '../../core/log.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import type { Trouble } from '../bridge/era-knowledge.ts'
import { refusedStatus } from './http-refusal.ts'
import { isSseSession, type SseUpstream } from './sse.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamExchange,
  UpstreamRequest,
} from './upstream.ts'

/** What detection is made of. */
export interface DetectingOptions {
  readonly http: Upstream
  readonly sse: SseUpstream
  readonly name: string
  readonly log: Log
  readonly trouble: Trouble
}

/**
 * A server with a URL whose transport nobody has said. Streamable HTTP is tried first; a server that
 * refuses an opening request with 4xx and no JSON-RPC answer is asked for HTTP+SSE. What was found is
 * kept until an opening fails. Only openings are ever sent over both, and only when refused.
 */
export function createDetectingUpstream(options: DetectingOptions): Upstream {
  const { http, sse, name, log, trouble } = options
  let known: 'http' | 'sse' | undefined
  /** The question under way: one for all who wait for its answer. */
  let asking: Promise<boolean> | undefined

  const found = (transport: 'http' | 'sse'): void => {
    if (known !== transport) log('info', { event: 'upstream.detected', upstream: name, transport })
    known = transport
  }

  /** What was known of the server may hold no more: neither this nor which eras it speaks. */
  const doubt = (): void => {
    if (known !== undefined) trouble.note('gone')
    known = undefined
  }

  const isThere = (): Promise<boolean> => {
    asking ??= sse.isThere().finally(() => {
      asking = undefined
    })
    return asking
  }

  const overHttp = (request: UpstreamRequest, sink: ReplySink): UpstreamExchange => {
    let current: UpstreamExchange
    let isCancelled = false
    const opening = new Opening(sink, {
      accepted: () => found('http'),
      refused: () => {
        current.cancel()
        doubt()
        isThere().then(
          (isSse) => {
            if (isSse) found('sse')
            if (isCancelled) return
            if (isSse) current = sse.exchange(request, sink)
            else opening.release()
          },
          (error: GatewayError) => {
            if (!isCancelled) sink.fail(error, false)
          },
        )
      },
    })
    current = http.exchange(request, opening)
    return {
      cancel() {
        isCancelled = true
        current.cancel()
      },
    }
  }

  const overSse = (request: UpstreamRequest, sink: ReplySink): UpstreamExchange => {
    let current: UpstreamExchange
    const opening = new Opening(sink, {
      accepted() {},
      // It speaks this transport no more: it may speak the newer one by now.
      refused: () => {
        doubt()
        current = http.exchange(request, sink)
      },
    })
    current = sse.exchange(request, opening)
    return { cancel: () => current.cancel() }
  }

  return {
    exchange(request, sink) {
      const { session } = request
      if (session !== undefined) return (isSseSession(session) ? sse : http).exchange(request, sink)
      const isOpening = opens(request)
      if (known === 'sse') return (isOpening ? overSse : sse.exchange)(request, sink)
      if (isOpening || (known === undefined && request.era === 'modern'))
        return overHttp(request, sink)
      return http.exchange(request, sink)
    },
    listen: (request, sink) => serving(request.session).listen(request, sink),
    endSession: (request) => serving(request.session).endSession(request),
    async close() {
      await Promise.all([http.close(), sse.close()])
    },
  }

  function serving(session: string | undefined): Upstream {
    return session !== undefined && isSseSession(session) ? sse : http
  }
}

/** Requests that begin a conversation, and that nothing comes of but an answer. */
const opens = ({ frame }: UpstreamRequest): boolean =>
  frame.kind === 'request' && (frame.method === 'initialize' || frame.method === 'server/discover')

/** A refusal longer than this is no JSON-RPC error. */
const MAX_HELD = 64 << 10

/** Passes an answer on, unless it is the refusal of a server that does not know the transport. */
class Opening implements ReplySink {
  readonly #sink: ReplySink
  readonly #on: { accepted(): void; refused(): void }
  #head: Head | undefined
  #held: Uint8Array[] | undefined
  #size = 0
  /** True from the head of an event stream to its first event, which tells the transport. */
  #isWaiting = false
  #isOver = false
  #failure: GatewayError | undefined

  constructor(sink: ReplySink, on: { accepted(): void; refused(): void }) {
    this.#sink = sink
    this.#on = on
  }

  head(head: Head): void {
    this.#head = head
    if (head.kind === 'json' && isRefusal(head.status)) this.#held = []
    else if (head.kind === 'events') this.#isWaiting = true
    else {
      if (head.status < 400) this.#on.accepted()
      this.#sink.head(head)
    }
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#held === undefined) return this.#sink.chunk(bytes)
    this.#size += bytes.length
    this.#held.push(bytes)
    if (this.#size > MAX_HELD) this.#begin()
    return true
  }

  event(event: UpstreamEvent): boolean {
    if (this.#isOver) return true
    if (this.#isWaiting) {
      // Some servers of the older transport open their stream to any verb.
      if (event.event === 'endpoint') {
        this.#isOver = true
        this.#failure = new GatewayError('upstream_broken', 'it answers with an endpoint')
        this.#on.refused()
        return true
      }
      this.#on.accepted()
      this.#begin()
    }
    return this.#sink.event(event)
  }

  end(): void {
    if (this.#isOver) return
    if (this.#isWaiting) this.#begin()
    if (this.#held === undefined) this.#sink.end()
    else if (isMessage(Buffer.concat(this.#held).toString('utf8'))) {
      this.#on.accepted()
      this.release()
    } else this.#on.refused()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    const status = refusedStatus(error)
    if (wasSent || this.#head !== undefined || status === undefined || !isRefusal(status)) {
      this.#sink.fail(error, wasSent)
      return
    }
    this.#failure = error
    this.#on.refused()
  }

  onDrain(resume: () => void): void {
    this.#sink.onDrain(resume)
  }

  /** Passes the refusal on as it was. */
  release(): void {
    if (this.#failure !== undefined) this.#sink.fail(this.#failure, false)
    else {
      this.#begin()
      this.#sink.end()
    }
  }

  #begin(): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#isWaiting = false
    this.#sink.head(this.#head as Head)
    for (const bytes of held) this.#sink.chunk(bytes)
  }
}

/** A credential that is refused says nothing of the transport. */
const isRefusal = (status: number): boolean =>
  status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429

function isMessage(text: string): boolean {
  try {
    const message: unknown = parseJson(text)
    return isObject(message) && member(message, 'jsonrpc') === '2.0'
  } catch {
    return false
  }
}
