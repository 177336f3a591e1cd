import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamRequest,
} from '../upstream/upstream.ts'

/** What the gateway itself sends, besides the frame. */
export type Around = Omit<UpstreamRequest, 'frame' | 'bytes'>

/** What the server answered to a question of the gateway's own. */
export interface Asked {
  /** The answer; undefined when there was none that is a JSON-RPC message. */
  readonly message: JsonObject | undefined
  /** The same as text. */
  readonly text: string
  /** The session that the answer opened. */
  readonly session: string | undefined
  readonly failure: GatewayError | undefined
}

/** An answer to the gateway's own question is short. */
const MAX_ANSWER = 4 << 20
/** What legacy servers want to see of a client, or they refuse it. */
export const ACCEPT: readonly string[] = ['accept', 'application/json, text/event-stream']

/** A request of the gateway's own. */
export function requestFrame(id: string | number, method: string, params: JsonObject): Frame {
  const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
  return { kind: 'request', id, method, params, text }
}

/** A notification of the gateway's own. */
export function notificationFrame(method: string, params?: JsonObject): Frame {
  const text = JSON.stringify({
    jsonrpc: '2.0',
    method,
    ...(params === undefined ? {} : { params }),
  })
  return { kind: 'notification', method, params: params ?? {}, text }
}

/** A frame with what goes around it. */
export const framed = (around: Around, frame: Frame): UpstreamRequest => ({
  ...around,
  frame,
  bytes: Buffer.from(frame.text, 'utf8'),
})

/** Asks a server and waits for its answer, `limitMs` at most. Never rejects. */
export function ask(
  upstream: Upstream,
  around: Around,
  frame: Frame,
  limitMs: number,
): Promise<Asked> {
  return new Promise((resolve) => {
    let limit: NodeJS.Timeout | undefined
    const done = (asked: Asked): void => {
      clearTimeout(limit)
      resolve(asked)
    }
    const sink = new AnswerSink(frame.kind === 'request' ? frame.id : undefined, done)
    const exchange = upstream.exchange(framed(around, frame), sink)
    limit = setTimeout(() => {
      exchange.cancel()
      sink.fail(new GatewayError('upstream_timeout'))
    }, limitMs)
  })
}

/** Sends what needs no answer; resolves once it was taken, or not. */
export const tell = (upstream: Upstream, around: Around, frame: Frame): Promise<Asked> =>
  ask(upstream, around, frame, 10_000)

class AnswerSink implements ReplySink {
  readonly #id: string | number | undefined
  readonly #done: (asked: Asked) => void
  readonly #chunks: Uint8Array[] = []
  #session: string | undefined
  #text = ''
  #size = 0
  #isOver = false

  constructor(id: string | number | undefined, done: (asked: Asked) => void) {
    this.#id = id
    this.#done = done
  }

  head(head: Head): void {
    this.#session = head.session
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_ANSWER) this.#chunks.push(bytes)
    return true
  }

  event({ data }: UpstreamEvent): boolean {
    const message = data === '' ? undefined : parse(data)
    // A server may keep its stream open behind the answer.
    if (message !== undefined && member(message, 'id') === this.#id && !('method' in message)) {
      this.#text = data
      this.end()
    }
    return true
  }

  end(): void {
    if (this.#size <= MAX_ANSWER && this.#size > 0)
      this.#text = Buffer.concat(this.#chunks).toString('utf8')
    this.#over(undefined)
  }

  fail(failure: GatewayError): void {
    this.#over(failure)
  }

  #over(failure: GatewayError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const text = this.#text
    const message = text === '' ? undefined : parse(text)
    this.#done({ message, text, session: this.#session, failure })
  }

  onDrain(): void {}
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The result of an answer, if it has one that is an object. */
export function resultOf({ message }: Asked): JsonObject | undefined {
  const result = message === undefined ? undefined : member(message, 'result')
  return isObject(result) ? result : undefined
}
