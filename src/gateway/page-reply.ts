import { GatewayError } from '../core/errors.ts'
import { isObject, type Json, member } from '../core/json/json.ts'
import type { FrameId } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import type { Head, ReplySink, UpstreamEvent } from './upstream/upstream.ts'

/** Bytes of an answer that is held whole before it goes on. */
export const MAX_HELD = 32 << 20

/** Whoever waits for one answer. */
export interface Awaiting {
  /** A message before the answer; the same back-pressure as a sink's. */
  event(event: UpstreamEvent, head: Head): boolean
  /** The answer, once; with the event that carried it, if one did. */
  answered(text: string, head: Head, event: UpstreamEvent | undefined): void
  /** Nothing more comes. */
  ended(head: Head | undefined): void
  failed(error: GatewayError, wasSent: boolean): void
  onDrain(resume: () => void): void
}

/** Holds the one answer to a request whole, whatever form it comes in; what comes before it passes at once. */
export class PageReply implements ReplySink {
  readonly #id: FrameId
  readonly #owner: Awaiting
  #head: Head | undefined
  #chunks: Uint8Array[] = []
  #size = 0
  #isAnswered = false
  #isOver = false

  constructor(id: FrameId, owner: Awaiting) {
    this.#id = id
    this.#owner = owner
  }

  /** Whatever still comes is of no use to anybody. */
  drop(): void {
    this.#isOver = true
    this.#chunks = []
  }

  head(head: Head): void {
    this.#head = head
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#isOver) return true
    this.#size += bytes.length
    if (this.#size > MAX_HELD)
      this.fail(new GatewayError('upstream_broken', 'its answer is too large'), true)
    else this.#chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    const head = this.#head
    // Nothing follows an answer.
    if (this.#isOver || this.#isAnswered || head === undefined) return true
    if (!this.#isAnswer(event.data)) return this.#owner.event(event, head)
    this.#isAnswered = true
    this.#owner.answered(event.data, head, event)
    return true
  }

  #isAnswer(data: string): boolean {
    if (data === '') return false
    let message: Json
    try {
      message = parseJson(data)
    } catch {
      return false
    }
    return (
      isObject(message) &&
      member(message, 'method') === undefined &&
      member(message, 'id') === this.#id
    )
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    const head = this.#head
    if (head?.kind === 'json')
      this.#owner.answered(Buffer.concat(this.#chunks).toString('utf8'), head, undefined)
    this.#chunks = []
    this.#owner.ended(head)
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.drop()
    this.#owner.failed(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#owner.onDrain(resume)
  }
}
