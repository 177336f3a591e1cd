import { GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { errorReply, type Reader } from '../../core/mcp/reply.ts'
import { type AnswerSink, idOf } from '../gate.ts'
import type { Head, UpstreamEvent } from '../upstream/upstream.ts'
import type { MessageWriter } from './message-writer.ts'
import { lineOf } from './stdio-lines.ts'

/** How one exchange is answered over the one channel of a client. */
export interface DialogueSinkOptions {
  readonly frame: Frame
  readonly reader: Reader
  readonly writer: MessageWriter
  readonly openSession: AnswerSink['openSession']
  /** Called once, when nothing more will come. */
  over(error: GatewayError | undefined): void
}

/** Bytes of one answer; a longer one is refused, since a line can't be written in parts. */
const MAX_BODY = 32 * 1024 * 1024

/** Writes what comes back for one frame: a request gets exactly one answer, everything else none. */
export class DialogueSink implements AnswerSink {
  readonly #o: DialogueSinkOptions
  #chunks: Uint8Array[] = []
  #size = 0
  #kind: Head['kind'] = 'empty'
  #status = 0
  #isAnswered = false
  #isOver = false
  /** The client has cancelled: it expects no answer any more. */
  isForgone = false

  constructor(options: DialogueSinkOptions) {
    this.#o = options
  }

  openSession(upstream: string | undefined, protocolVersion: string): string | undefined {
    return this.#o.openSession(upstream, protocolVersion)
  }

  reply(text: string): void {
    this.#answer(text)
    this.#end(undefined)
  }

  notify(text: string): void {
    if (!this.isForgone && !this.#isOver) this.#o.writer.write(text)
  }

  head(head: Head): void {
    this.#kind = head.kind
    this.#status = head.status
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_BODY) this.#chunks.push(bytes)
    // A reader that does not read holds up what is still to come.
    return !this.#o.writer.isFull()
  }

  event(event: UpstreamEvent): boolean {
    const made = event.data === '' ? undefined : lineOf(event.data)
    if (made === undefined || this.isForgone || this.#isOver) return true
    const isAnswer = member(made.message, 'method') === undefined
    if (isAnswer && !this.#isMine(member(made.message, 'id'))) return true
    if (isAnswer) this.#isAnswered = true
    return this.#o.writer.write(made.line)
  }

  end(): void {
    if (this.#kind === 'json' && this.#size <= MAX_BODY)
      this.#answer(Buffer.concat(this.#chunks).toString('utf8'))
    const isDone = this.#isAnswered || this.#o.frame.kind !== 'request'
    this.#end(isDone ? undefined : this.#missing())
  }

  #missing(): GatewayError {
    if (this.#size > MAX_BODY) return new GatewayError('upstream_broken', 'its answer is too large')
    if (this.#kind === 'events') return new GatewayError('upstream_lost', 'its stream has ended')
    const detail = this.#status === 200 ? 'its answer is empty' : `it answered HTTP ${this.#status}`
    return new GatewayError('upstream_broken', detail)
  }

  fail(error: GatewayError): void {
    this.#end(error)
  }

  onDrain(resume: () => void): void {
    this.#o.writer.onDrain(resume)
  }

  #isMine(id: unknown): boolean {
    return this.#o.frame.kind === 'request' && id === this.#o.frame.id
  }

  /** Writes the answer if the text is one to this request. */
  #answer(text: string): void {
    const made = lineOf(text)
    if (
      this.#isOver ||
      this.#isAnswered ||
      made === undefined ||
      !this.#isMine(member(made.message, 'id'))
    )
      return
    this.#isAnswered = true
    if (!this.isForgone) this.#o.writer.write(made.line)
  }

  #end(error: GatewayError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const { frame, reader, writer } = this.#o
    if (frame.kind === 'request' && !this.#isAnswered && !this.isForgone)
      writer.write(errorReply(idOf(frame), error ?? new GatewayError('internal'), reader))
    this.#o.over(error)
  }
}
