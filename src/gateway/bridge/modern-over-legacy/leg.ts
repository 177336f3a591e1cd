import { GatewayError } from '../../../core/errors.ts'
import { member } from '../../../core/json/json.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import type { ReplySink } from '../../upstream/upstream.ts'
import { LOG_LEVEL, metaOf, type Parts, partsOf } from './text.ts'

/** One request of a stateless client: a call that asks for more is answered over several of them. */
export class Leg {
  readonly frame: RequestFrame
  readonly parts: Parts
  /** The client's id and progress token, exactly as written. */
  readonly idText: string
  readonly tokenText: string | undefined
  /** The least severe message that it wants to see; undefined when it wants none. */
  readonly logLevel: string | undefined
  readonly #sink: ReplySink
  #state: 'new' | 'events' | 'over' = 'new'
  #stop: () => void = () => {}

  constructor(frame: RequestFrame, sink: ReplySink) {
    this.frame = frame
    this.#sink = sink
    this.parts = partsOf(frame.text)
    this.idText = this.parts.idText
    const token = this.parts.meta.get('progressToken')
    this.tokenText = token === undefined ? undefined : frame.text.slice(token.start, token.end)
    const level = member(metaOf(frame.params), LOG_LEVEL)
    this.logLevel = typeof level === 'string' ? level : undefined
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** A message before the answer; false when the client asks to pause. */
  event(text: string): boolean {
    if (this.#state === 'over') return true
    if (this.#state === 'new')
      this.#sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    this.#state = 'events'
    return this.#sink.event({ data: text })
  }

  /** The answer; `status` is for a body that nothing came before. */
  answer(text: string, status = 200): void {
    if (this.#state === 'over') return
    if (this.#state === 'events') this.#sink.event({ data: text })
    else {
      const bytes = Buffer.from(text, 'utf8')
      this.#sink.head({ status, kind: 'json', length: bytes.length, session: undefined })
      this.#sink.chunk(bytes)
    }
    this.#state = 'over'
    this.#sink.end()
  }

  /** An error of the protocol as the answer. */
  refuse({ status, error }: { status: number; error: object }): void {
    const text = `{"jsonrpc":"2.0","id":${this.idText},"error":${JSON.stringify(error)}}`
    this.answer(text, status)
  }

  /** The call can not go on without what its client did not give: for a tool, the model may read why. */
  unanswered(why: string): void {
    if (this.frame.method !== 'tools/call') {
      this.fail(new GatewayError('input_missing', why), true)
      return
    }
    const content = [{ type: 'text', text: why }]
    const result = JSON.stringify({ resultType: 'complete', content, isError: true })
    this.answer(`{"jsonrpc":"2.0","id":${this.idText},"result":${result}}`)
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#sink.fail(error, wasSent)
  }

  /** Whoever works on it now says how that is stopped. */
  workedOnBy(stop: () => void): void {
    this.#stop = stop
  }

  /** The client has gone: whatever still comes is dropped, and whoever works on it stops. */
  cancel(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#stop()
  }

  onDrain(resume: () => void): void {
    this.#sink.onDrain(resume)
  }
}
