import { GatewayError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/json/json.ts'
import type { ReplySink, UpstreamRequest } from '../../src/gateway/upstream/upstream.ts'
import { type AnsweringUpstream, answer, answeringUpstream } from './answering-upstream.ts'
import { until } from './until.ts'

/** One request that a server with sessions has got, to be answered by hand. */
export class Asked {
  readonly request: UpstreamRequest
  readonly #sink: ReplySink
  #isStream = false

  constructor(request: UpstreamRequest, sink: ReplySink) {
    this.request = request
    this.#sink = sink
  }

  get id(): string | number {
    return this.request.frame.kind === 'request' ? this.request.frame.id : ''
  }
  get message(): { method: string; params: JsonObject } {
    return JSON.parse(this.request.frame.text)
  }

  /** Sends a message on the stream of this request. */
  say(message: JsonObject, more: { id?: string; retry?: string } = {}): void {
    if (!this.#isStream)
      this.#sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    this.#isStream = true
    this.#sink.event({ data: JSON.stringify({ jsonrpc: '2.0', ...message }), ...more })
  }
  /** Sends an event without a message, from which the client can go on. */
  prime(event: { id: string; retry: string }): void {
    this.#sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    this.#isStream = true
    this.#sink.event({ data: '', ...event })
  }
  /** Sends several messages in one event, and ends. */
  whole(messages: readonly JsonObject[]): void {
    this.#sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    const data = JSON.stringify(messages.map((message) => ({ jsonrpc: '2.0', ...message })))
    this.#sink.event({ data })
    this.#sink.end()
  }
  /** Asks the client. */
  ask(id: string | number, method: string, params: JsonObject = {}): void {
    this.say({ id, method, params })
  }
  result(result: JsonObject): void {
    this.raw(JSON.stringify(result))
  }
  /** A result, as the server writes it. */
  raw(result: string): void {
    const data = `{"jsonrpc":"2.0","id":${JSON.stringify(this.id)},"result":${result}}`
    if (this.#isStream) this.#sink.event({ data })
    else {
      const bytes = Buffer.from(data)
      this.#sink.head({ status: 200, kind: 'json', length: bytes.length, session: undefined })
      this.#sink.chunk(bytes)
    }
    this.#sink.end()
  }
  error(error: JsonObject, status = 200): void {
    if (!this.#isStream) {
      answer(this.#sink, { id: this.id, error }, { status })
      return
    }
    this.say({ id: this.id, error })
    this.#sink.end()
  }
  hangUp(): void {
    this.#sink.end()
  }
  fail(error: GatewayError, wasSent: boolean): void {
    this.#sink.fail(error, wasSent)
  }
}

/** A server with sessions, in memory. Its requests are answered by hand, or by `answers`. */
export class SessionServer {
  readonly upstream: AnsweringUpstream
  /** Requests that wait for an answer, by method. */
  readonly #waiting: Asked[] = []
  readonly sessions = new Set<string>()
  readonly initialized: JsonObject[] = []
  capabilities: JsonObject = {
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true, listChanged: true },
    logging: {},
    tasks: { list: {} },
  }
  /** Answers to requests that no test looks at. */
  readonly answers: Record<string, (params: JsonObject) => JsonObject> = {
    'logging/setLevel': () => ({}),
    'resources/subscribe': () => ({}),
    'resources/unsubscribe': () => ({}),
  }

  constructor() {
    this.upstream = answeringUpstream((request, sink) => this.#respond(request, sink))
  }

  #respond(request: UpstreamRequest, sink: ReplySink): JsonObject | GatewayError | undefined {
    const { frame, session } = request
    if (frame.kind === 'request' && frame.method === 'initialize') {
      this.initialized.push(frame.params)
      const id = `session-${this.initialized.length}`
      this.sessions.add(id)
      const result = {
        protocolVersion: '2025-06-18',
        capabilities: this.capabilities,
        serverInfo: { name: 'with sessions', version: '1' },
        instructions: 'be kind',
      }
      answer(sink, { id: frame.id, result }, { session: id })
      return undefined
    }
    if (session === undefined || !this.sessions.has(session))
      return new GatewayError('session_unknown')
    if (frame.kind !== 'request') return undefined
    const own = this.answers[frame.method]
    if (own !== undefined) return { result: own(frame.params) }
    this.#waiting.push(new Asked(request, sink))
    return undefined
  }

  /** The next request that waits for an answer. */
  async next(): Promise<Asked> {
    await until(() => this.#waiting.length > 0, 'a request at the server')
    return this.#waiting.shift() as Asked
  }
  /** What the server was told in answer to its own requests. */
  get responses(): readonly { id: unknown; result?: JsonObject; error?: { code: number } }[] {
    return this.upstream.got
      .filter(({ frame }) => frame.kind === 'response')
      .map(({ frame }) => JSON.parse(frame.text))
  }
  /** The notifications of a kind that it got. */
  notes(method: string): readonly JsonObject[] {
    return this.upstream.got.flatMap(({ frame }) =>
      frame.kind === 'notification' && frame.method === method ? [frame.params] : [],
    )
  }
  /** The params of the requests of a kind that it got. */
  requests(method: string): readonly JsonObject[] {
    return this.upstream.got.flatMap(({ frame }) =>
      frame.kind === 'request' && frame.method === method ? [frame.params] : [],
    )
  }
  /** Sends a message on every stream that belongs to no request. */
  shout(message: JsonObject): void {
    for (const sink of this.upstream.listeners)
      sink.event({ data: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  }
}
