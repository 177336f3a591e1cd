import type { ServerResponse } from 'node:http'
import { catalogue, type GatewayError } from '../../core/errors.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { errorReply, type Reader } from '../../core/mcp/reply.ts'
import type { AnswerSink } from '../gate.ts'
import { eventText } from '../upstream/event-stream.ts'
import type { Head, UpstreamEvent } from '../upstream/upstream.ts'

/** How one HTTP response is written. */
export interface HttpSinkOptions {
  readonly id: FrameId | undefined
  readonly reader: Reader
  /** Response headers of every answer: name, value, … */
  readonly headers: readonly string[]
  readonly openSession: AnswerSink['openSession']
  /** Called when the response turns into a stream that stays open. */
  readonly streaming: (response: ServerResponse) => void
}

const EVENT_HEADERS = [
  ...['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache, no-transform'],
  ...['X-Accel-Buffering', 'no'],
]

/** Writes the answer of one exchange to an HTTP response. */
export class HttpSink implements AnswerSink {
  readonly #response: ServerResponse
  readonly #o: HttpSinkOptions
  #length: number | undefined
  #seen = 0

  constructor(response: ServerResponse, options: HttpSinkOptions) {
    this.#response = response
    this.#o = options
  }

  openSession(upstream: string | undefined, protocolVersion: string): string | undefined {
    return this.#o.openSession(upstream, protocolVersion)
  }

  reply(text: string, status: number): void {
    if (this.#response.headersSent) {
      this.#event(text)
      return
    }
    const body = Buffer.from(text, 'utf8')
    this.#response.writeHead(status, [
      ...['Content-Type', 'application/json', 'Content-Length', String(body.length)],
      ...this.#o.headers,
    ])
    this.#response.end(body)
  }

  /** A stream that has begun can only end with an event. */
  #event(text: string): void {
    if (this.#length !== undefined || this.#response.writableEnded) this.#response.destroy()
    else this.#response.end(eventText({ data: text }))
  }

  head(head: Head): void {
    if (this.#response.headersSent) return
    const session = head.session === undefined ? [] : ['Mcp-Session-Id', head.session]
    if (head.kind === 'events') {
      this.#response.writeHead(head.status, [...EVENT_HEADERS, ...session, ...this.#o.headers])
      this.#response.flushHeaders()
      this.#o.streaming(this.#response)
      return
    }
    const length = head.kind === 'empty' ? 0 : head.length
    this.#length = length ?? -1
    const sized =
      head.status === 204 || length === undefined ? [] : ['Content-Length', String(length)]
    const typed = head.kind === 'json' ? ['Content-Type', 'application/json'] : []
    this.#response.writeHead(head.status, [...typed, ...sized, ...session, ...this.#o.headers])
  }

  chunk(bytes: Uint8Array): boolean {
    this.#seen += bytes.length
    if (this.#seen === this.#length) {
      // The last bytes and the end in one write: a packet less.
      this.#response.end(bytes)
      return true
    }
    return this.#response.write(bytes)
  }

  event(event: UpstreamEvent): boolean {
    return this.#response.write(eventText(event))
  }

  end(): void {
    if (!this.#response.writableEnded) this.#response.end()
  }

  fail(error: GatewayError): void {
    const { http } = catalogue[error.code]
    // A stateless client learns from the status that a method is not there.
    const status = error.code === 'method_unknown' && this.#o.reader.isModern ? 404 : http
    this.reply(errorReply(this.#o.id, error, this.#o.reader), status)
  }

  onDrain(resume: () => void): void {
    this.#response.on('drain', resume)
  }
}
