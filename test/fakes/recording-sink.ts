import type { GatewayError } from '../../src/core/errors.ts'
import type { Head, ReplySink } from '../../src/gateway/upstream/upstream.ts'
import { until } from './until.ts'

/** Keeps what comes back for one request, and checks that it comes in the promised order. */
export class RecordingSink implements ReplySink {
  heads: Head[] = []
  chunks: Uint8Array[] = []
  events: string[] = []
  error: GatewayError | undefined
  wasSent: boolean | undefined
  isOver = false
  /** What came when it should not have. */
  faults: string[] = []
  /** While true, every event and chunk is answered with a request to pause. */
  isFull = false
  #resume: (() => void)[] = []

  head(head: Head): void {
    if (this.heads.length > 0 || this.isOver) this.faults.push('head')
    this.heads.push(head)
  }
  chunk(bytes: Uint8Array): boolean {
    if (this.heads[0]?.kind !== 'json' || this.isOver) this.faults.push('chunk')
    this.chunks.push(bytes)
    return !this.isFull
  }
  event(event: { data: string }): boolean {
    if (this.heads[0]?.kind !== 'events' || this.isOver) this.faults.push('event')
    this.events.push(event.data)
    return !this.isFull
  }
  end(): void {
    if (this.isOver || this.heads.length === 0) this.faults.push('end')
    this.isOver = true
  }
  fail(error: GatewayError, wasSent: boolean): void {
    if (this.isOver) this.faults.push('fail')
    this.isOver = true
    this.error = error
    this.wasSent = wasSent
  }
  onDrain(resume: () => void): void {
    this.#resume.push(resume)
  }
  /** Takes more again. */
  drain(): void {
    this.isFull = false
    const waiting = this.#resume
    this.#resume = []
    for (const resume of waiting) resume()
  }

  get status(): number | undefined {
    return this.heads[0]?.status
  }
  get kind(): Head['kind'] | undefined {
    return this.heads[0]?.kind
  }
  get session(): string | undefined {
    return this.heads[0]?.session
  }
  /** The body, or the last event: the answer as text. */
  get text(): string {
    return this.kind === 'events'
      ? (this.events.findLast((data) => data !== '') ?? '')
      : Buffer.concat(this.chunks).toString()
  }
  /** The answer. */
  get message(): { id?: unknown; result?: Result; error?: { code: number; message: string } } {
    return JSON.parse(this.text) as RecordingSink['message']
  }
  /** The text that the called tool gave. */
  get said(): string {
    return this.message.result?.content?.[0]?.text ?? ''
  }
  async over(): Promise<this> {
    await until(() => this.isOver, 'the reply to end')
    return this
  }
}

/** Keeps whole events, with their ids. */
export class KeepingSink extends RecordingSink {
  readonly all: { data: string; id?: string; retry?: string }[] = []
  override event(event: { data: string; id?: string; retry?: string }): boolean {
    this.all.push(event)
    return super.event(event)
  }
}

interface Result {
  readonly content?: readonly { readonly text: string }[]
  readonly [key: string]: unknown
}
