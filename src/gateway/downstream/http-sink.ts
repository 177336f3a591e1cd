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

/** Response headers of an event stream: name, value, … */
export const EVENT_HEADERS: readonly string[] = [
  ...['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache, no-transform'],
  ...['X-Accel-Buffering', 'no'],
]

/** Writes the answer of one exchange to an HTTP response. */
export class HttpSink implements AnswerSink {
  readonly #response: ServerResponse
  readonly #o: HttpSinkOptions
  #length: number | undefined
  #resume: () => void = () => {}
  #seen = 0
  /** Notifications that wait for a reader that takes no more; of the same one, one is enough. */
  #notes: Set<string> | undefined

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
    const headers = this.#o.headers.slice()
    headers.push('Content-Type', 'application/json')
    headers.push('Content-Length', String(Buffer.byteLength(text)))
    this.#response.writeHead(status, headers)
    // As a string it leaves in one piece with the head.
    this.#response.end(text)
  }

  notify(text: string): void {
    if (this.#length !== undefined || !this.#response.headersSent || this.#response.writableEnded)
      return
    if (!this.#response.writableNeedDrain) this.#response.write(eventText({ data: text }))
    else if (this.#notes === undefined) {
      this.#notes = new Set([text])
      this.#response.once('drain', () => this.#sendNotes())
    } else this.#notes.add(text)
  }

  #sendNotes(): void {
    const notes = this.#notes ?? []
    this.#notes = undefined
    for (const note of notes) this.notify(note)
  }

  /** A stream that has begun can only end with an event. */
  #event(text: string): void {
    if (this.#length !== undefined || this.#response.writableEnded) this.#response.destroy()
    else this.#response.end(eventText({ data: text }))
  }

  head(head: Head): void {
    if (this.#response.headersSent) return
    const headers = this.#o.headers.slice()
    if (head.session !== undefined) headers.push('Mcp-Session-Id', head.session)
    if (head.kind === 'events') {
      this.#response.writeHead(head.status, [...EVENT_HEADERS, ...headers])
      this.#response.flushHeaders()
      this.#o.streaming(this.#response)
      return
    }
    const length = head.kind === 'empty' ? 0 : head.length
    this.#length = length ?? -1
    if (head.kind === 'json') headers.push('Content-Type', 'application/json')
    if (head.status !== 204 && length !== undefined) headers.push('Content-Length', String(length))
    this.#response.writeHead(head.status, headers)
  }

  chunk(bytes: Uint8Array): boolean {
    this.#seen += bytes.length
    if (this.#seen === this.#length) {
      // The last bytes and the end in one write: a packet less.
      this.#response.end(bytes)
      return true
    }
    return this.#written(this.#response.write(bytes))
  }

  event(event: UpstreamEvent): boolean {
    return this.#written(this.#response.write(eventText(event)))
  }

  #written(mayFlow: boolean): boolean {
    if (!mayFlow) this.#response.once('drain', () => this.#resume())
    return mayFlow
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
    this.#resume = resume
  }
}
