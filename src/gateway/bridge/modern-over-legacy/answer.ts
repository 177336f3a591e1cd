import { GatewayError } from '../../../core/errors.ts'
import { isObject, member } from '../../../core/json/json.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import { type Incoming, readTexts } from '../../upstream/incoming.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamExchange,
} from '../../upstream/upstream.ts'
import type { Around } from '../ask.ts'
import { retryOf } from './listen.ts'

/** Whoever waits for what a server answers to one call. */
export interface Answered {
  /** A message on the way to the answer, or the answer; false asks the server to pause. */
  heard(message: Incoming): boolean
  /** The server refused the request with an HTTP status and this error, before it looked at it. */
  refused(text: string, status: number): void
  /** No answer will come. */
  failed(error: GatewayError, wasSent: boolean): void
  onDrain(resume: () => void): void
}

const MAX_BODY = 32 << 20
const MAX_RESUMED = 20
const RESUME_MS = 1_000

/**
 * Reads what a server with sessions answers to one call: one body, or a stream that the server may
 * hang up on in the middle, to go on when it is asked to.
 */
export class Answer implements ReplySink {
  readonly #inner: Upstream
  readonly #around: Around
  readonly #o: Answered
  #exchange: UpstreamExchange | undefined
  #head: Head | undefined
  #chunks: Uint8Array[] = []
  #size = 0
  /** The server began to answer: it took the call, and may have executed it. */
  #wasTaken = false
  #isOver = false
  #lastId: string | undefined
  #retry: string | undefined
  #resumed = 0
  #resuming: NodeJS.Timeout | undefined

  constructor(inner: Upstream, around: Around, answered: Answered) {
    this.#inner = inner
    this.#around = around
    this.#o = answered
  }

  /** Waits for what comes of this exchange. */
  of(exchange: UpstreamExchange): void {
    this.#exchange = exchange
  }

  /** Nothing more is read. */
  stop(): void {
    this.#isOver = true
    clearTimeout(this.#resuming)
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.stop()
    this.#exchange?.cancel()
  }

  head(head: Head): void {
    this.#head = head
    if (head.status < 300) this.#wasTaken = true
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_BODY) this.#chunks.push(bytes)
    return true
  }

  event({ data, id, retry }: UpstreamEvent): boolean {
    this.#lastId = id ?? this.#lastId
    this.#retry = retry ?? this.#retry
    return data === '' || this.#read(data)
  }

  /** A text may hold several messages, as in 2025-03-26. */
  #read(text: string): boolean {
    let mayFlow = true
    for (const message of readTexts(text))
      if (!this.#isOver) mayFlow = this.#o.heard(message) && mayFlow
    return mayFlow
  }

  end(): void {
    if (this.#isOver) return
    const kind = this.#head?.kind
    if (kind === 'json') this.#body()
    else if (kind !== 'events') this.#fail('upstream_broken', 'its answer is empty')
    else if (this.#lastId !== undefined && this.#resumed < MAX_RESUMED) this.#resume(this.#lastId)
    else this.#fail('upstream_lost')
  }

  #body(): void {
    if (this.#size > MAX_BODY) {
      this.#fail('upstream_broken', 'its answer is too large')
      return
    }
    const text = Buffer.concat(this.#chunks).toString('utf8')
    const status = this.#head?.status ?? 200
    if (status >= 400 && errorOf(text) !== undefined) {
      if (this.#wasTaken) this.#fail('upstream_lost')
      else this.#o.refused(text, status)
      return
    }
    this.#read(text)
    if (!this.#isOver) this.#fail('upstream_broken', 'its answer is none to this request')
  }

  #fail(code: 'upstream_broken' | 'upstream_lost', detail?: string): void {
    this.#o.failed(new GatewayError(code, detail), true)
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    // INVARIANT: a call whose answer had begun was taken, and is never made again.
    if (this.#wasTaken && !wasSent) this.#fail('upstream_lost')
    else this.#o.failed(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#o.onDrain(resume)
  }

  #resume(lastId: string): void {
    this.#resumed++
    this.#resuming = setTimeout(
      () => {
        this.#head = undefined
        const headers = ['last-event-id', lastId]
        this.#exchange = this.#inner.listen({ ...this.#around, headers }, this)
      },
      retryOf(this.#retry, RESUME_MS),
    )
  }
}

/** The error of an answer; undefined for a result. */
export function errorOf(text: string): { code?: unknown; message?: unknown } | undefined {
  try {
    const message: unknown = parseJson(text)
    const error = isObject(message) ? member(message, 'error') : undefined
    return isObject(error) ? error : undefined
  } catch {
    return undefined
  }
}
