import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { EventStreamParser } from '../../src/gateway/upstream/event-stream.ts'
import type { UpstreamEvent } from '../../src/gateway/upstream/upstream.ts'
import type { Message } from './mcp-http.ts'
import { until } from './until.ts'

/** What an HTTP request was answered. */
export interface Status {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A client over HTTP+SSE without a library, so that tests see every event and every status. */
export class SseClient {
  readonly url: URL
  readonly token: string | undefined
  readonly events: UpstreamEvent[] = []
  readonly comments: string[] = []
  isOver = false
  #stream: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #nextId = 1

  constructor(url: string, token?: string) {
    this.url = new URL(url)
    this.token = token
  }

  headers(): Record<string, string> {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }
  }

  /** Opens the stream; resolves with the head of the answer, once there is an endpoint if there is a stream. */
  async open(headers: Record<string, string> = {}): Promise<Status> {
    const all = { accept: 'text/event-stream', ...this.headers(), ...headers }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      this.#stream = request(this.url, { headers: all, agent: false }, resolve)
      this.#stream.on('error', reject).end()
    })
    this.#response = response
    this.#stream?.on('error', () => {})
    response.on('error', () => {})
    response.on('close', () => {
      this.isOver = true
    })
    const parser = new EventStreamParser((event) => this.events.push(event))
    let text = ''
    response.on('data', (bytes: Buffer) => {
      if (response.statusCode === 200) parser.push(bytes)
      else text += bytes.toString()
    })
    await until(() => this.isOver || this.events.length > 0, 'the endpoint')
    return { status: response.statusCode ?? 0, headers: response.headers, text }
  }

  /** Where messages go. */
  get endpoint(): URL {
    const [first] = this.events
    if (first?.event !== 'endpoint') throw new Error('no endpoint has come')
    return new URL(first.data, this.url)
  }
  /** The messages of the stream. */
  get messages(): readonly Message[] {
    return this.events
      .filter(({ event, data }) => event === undefined && data !== '')
      .map(({ data }) => JSON.parse(data) as Message)
  }

  /** Posts a text. */
  async post(
    text: string,
    { to = this.endpoint, headers = {} }: { to?: URL; headers?: Record<string, string> } = {},
  ): Promise<Status> {
    const response = await fetch(to, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.headers(), ...headers },
      body: text,
    })
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: await response.text(),
    }
  }

  notify(method: string, params: object = {}): Promise<Status> {
    return this.post(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  /** Posts a request; resolves with its answer. */
  async request(method: string, params: object = {}, id: string | number = this.#nextId++) {
    const sent = await this.post(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    if (sent.status !== 202) throw new Error(`refused with ${sent.status}: ${sent.text}`)
    return this.answer(id)
  }

  /** Resolves with the answer to the request with this id. */
  async answer(id: string | number): Promise<Message> {
    const found = () => this.messages.find((m) => m.method === undefined && m.id === id)
    await until(() => this.isOver || found() !== undefined, `the answer to ${id}`)
    const answer = found()
    if (answer === undefined) throw new Error(`the stream ended without an answer to ${id}`)
    return answer
  }

  /** Opens the stream and a session on it. */
  async initialize(protocolVersion = '2024-11-05'): Promise<this> {
    await this.open()
    const clientInfo = { name: 'bare', version: '1' }
    const capabilities = { sampling: {}, roots: {} }
    await this.request('initialize', { protocolVersion, capabilities, clientInfo })
    await this.notify('notifications/initialized')
    return this
  }

  call(name: string, args: object = {}, meta: object = {}): Promise<Message> {
    return this.request('tools/call', { name, arguments: args, _meta: meta })
  }

  /** Stops reading the stream; what comes piles up on the other side. */
  stopReading(): void {
    this.#response?.pause()
  }
  resumeReading(): void {
    this.#response?.resume()
  }
  close(): void {
    this.#stream?.destroy()
  }
}
