import { GatewayError } from '../../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import type { FrameId } from '../../../core/mcp/frame-model.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import type { Head, ReplySink, UpstreamEvent } from '../../upstream/upstream.ts'

/** An answer that is rewritten is held whole, up to this many bytes. */
const MAX_HELD = 32 << 20

/** An answer as it came, and as it reads. */
export interface Answer {
  readonly text: string
  readonly message: JsonObject
  /**
   * True when each character of the text is a byte of the body, not yet decoded. JSON's own marks are
   * the same in both, and large texts are edited and written at a fraction of the price.
   */
  readonly isBytes: boolean
}

/** The text of an answer, decoded. */
export const decoded = ({ text, isBytes }: Pick<Answer, 'text' | 'isBytes'>): string =>
  isBytes ? Buffer.from(text, 'latin1').toString('utf8') : text

/** What comes back for one request that went to the server. */
export interface LegEvents {
  /** A notification before the answer; false asks for a pause. */
  said(text: string, message: JsonObject): boolean
  /** The answer, once; nothing follows it. */
  answered(answer: Answer): void
  /** There will be no answer. */
  failed(error: GatewayError, wasSent: boolean): void
  onDrain(resume: () => void): void
}

/** Reads what a stateless server sends for one request: notifications, then one answer. */
export class Leg implements ReplySink {
  readonly #id: FrameId
  readonly #events: LegEvents
  #chunks: Uint8Array[] = []
  #size = 0
  #kind: Head['kind'] = 'empty'
  #status = 0
  #isOver = false

  constructor(id: FrameId, events: LegEvents) {
    this.#id = id
    this.#events = events
  }

  head(head: Head): void {
    this.#kind = head.kind
    this.#status = head.status
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#isOver) return true
    this.#size += bytes.length
    if (this.#size > MAX_HELD) this.#fail(broken('its answer is too large'), true)
    else this.#chunks.push(bytes)
    return true
  }

  event({ data }: UpstreamEvent): boolean {
    if (this.#isOver || data === '') return true
    const message = parsed(data)
    if (message === undefined || member(message, 'jsonrpc') !== '2.0') return true
    const id = member(message, 'id')
    if (member(message, 'method') === undefined) {
      if (id === this.#id) this.#answer({ text: data, message, isBytes: false })
      return true
    }
    // A stateless server has no request of its own: nothing that looks like one goes on.
    return id !== undefined || this.#events.said(data, message)
  }

  end(): void {
    if (this.#isOver) return
    if (this.#kind === 'json') this.#whole()
    else
      this.#fail(
        this.#kind === 'events'
          ? new GatewayError('upstream_lost', 'its stream ended without an answer')
          : broken(`it answered HTTP ${this.#status} without a body`),
        true,
      )
  }

  #whole(): void {
    const [first, ...more] = this.#chunks
    const body = first === undefined || more.length > 0 ? Buffer.concat(this.#chunks) : first
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1')
    const message = parsed(text)
    if (message !== undefined && this.#isMine(message))
      this.#answer({ text, message, isBytes: true })
    else this.#fail(broken('its answer is not one to the request'), true)
  }

  /** An error whose request could not be read has no id. */
  #isMine(message: JsonObject): boolean {
    if (member(message, 'method') !== undefined) return false
    const id = member(message, 'id')
    if (typeof id === 'string') return decoded({ text: id, isBytes: true }) === this.#id
    return id === this.#id || ((id === undefined || id === null) && Object.hasOwn(message, 'error'))
  }

  #answer(answer: Answer): void {
    this.#isOver = true
    this.#events.answered(answer)
  }

  fail(error: GatewayError, wasSent: boolean): void {
    this.#fail(error, wasSent)
  }

  #fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#chunks = []
    this.#events.failed(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#events.onDrain(resume)
  }
}

const broken = (detail: string): GatewayError => new GatewayError('upstream_broken', detail)

function parsed(text: string): JsonObject | undefined {
  try {
    const message: unknown = parseJson(text)
    return isObject(message) ? message : undefined
  } catch {
    return undefined
  }
}
