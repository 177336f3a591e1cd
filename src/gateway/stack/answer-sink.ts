import type { GatewayError } from '../../core/errors.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { Rewriting } from '../forward.ts'
import type { AnswerSink } from '../gate.ts'
import type { Head, ReplySink, UpstreamEvent } from '../upstream/upstream.ts'

/** What the exchange of one member answers, on its way to the stack's client. */
export class MemberAnswerSink implements AnswerSink {
  readonly #inner: Rewriting

  constructor(sink: ReplySink, id: FrameId, rewrite: (text: string) => string) {
    this.#inner = new Rewriting(sink, id, (text, head) => ({ text: rewrite(text), head }))
  }

  /** What the gateway says goes the way of what a server says. */
  reply(text: string, status: number): void {
    this.#inner.head({ status, kind: 'json', length: undefined, session: undefined })
    this.#inner.chunk(Buffer.from(text, 'utf8'))
    this.#inner.end()
  }

  /** Notifications have nowhere to go beside an answer. */
  notify(): void {}

  /** The stateless era has no sessions. */
  openSession(): undefined {
    return undefined
  }

  head(head: Head): void {
    this.#inner.head(head)
  }
  chunk(bytes: Uint8Array): boolean {
    return this.#inner.chunk(bytes)
  }
  event(event: UpstreamEvent): boolean {
    return this.#inner.event(event)
  }
  end(): void {
    this.#inner.end()
  }
  fail(error: GatewayError, wasSent: boolean): void {
    this.#inner.fail(error, wasSent)
  }
  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
  }
}

/** Answers a request with one message. */
export function answerWith(sink: ReplySink, text: string, status = 200): void {
  const bytes = Buffer.from(text, 'utf8')
  sink.head({ status, kind: 'json', length: bytes.length, session: undefined })
  sink.chunk(bytes)
  sink.end()
}
