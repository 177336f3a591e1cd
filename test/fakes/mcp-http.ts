/** MCP over HTTP without a library, so that tests see every byte and every status. */

export interface Message {
  readonly jsonrpc?: string
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: ToolResult
  readonly error?: { code: number; message: string; data?: { code?: string } }
}

export interface ToolResult {
  readonly isError?: boolean
  readonly content?: readonly { readonly type: string; readonly text: string }[]
  readonly _meta?: { readonly 'sallyport.dev/decision'?: Decision }
  readonly [key: string]: unknown
}

export interface Decision {
  readonly effect: string
  readonly rule: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly message: Message
}

const MODERN = '2026-07-28'
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'bare', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** A stateless client of one server. */
export class BareClient {
  readonly url: string
  readonly token: string | undefined
  #nextId = 1

  constructor(url: string, token?: string) {
    this.url = url
    this.token = token
  }

  headers(method: string, name?: string): Record<string, string> {
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
    }
  }

  /** The body of a request; `params._meta` gets the envelope of the stateless era. */
  body(method: string, params: Record<string, unknown> = {}, id: number | string = 1): string {
    const _meta = { ...ENVELOPE, ...(params._meta as object | undefined) }
    return JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } })
  }

  /** Sends a request; resolves with the head, the body is still to be read. */
  open(
    method: string,
    params: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const name = params.name ?? params.uri
    return fetch(this.url, {
      method: 'POST',
      headers: this.headers(method, typeof name === 'string' ? name : undefined),
      body: this.body(method, params, this.#nextId++),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async request(method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const response = await this.open(method, params)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, message: lastOf(text) }
  }

  call(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    return this.request('tools/call', { name, arguments: args })
  }
}

/** The last message of a JSON body or of an event stream; empty when there is none. */
export function lastOf(text: string): Message {
  const events = eventsOf(text)
  try {
    return JSON.parse(events.at(-1) ?? text) as Message
  } catch {
    return {}
  }
}

/** The data of every event of a stream. */
export const eventsOf = (text: string): readonly string[] =>
  text
    .split('\n\n')
    .map((block) =>
      block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n'),
    )
    .filter((data) => data !== '')

/** The decision that a refused call carries. */
export const decisionOf = ({ message }: Answer): Decision | undefined =>
  message.result?._meta?.['sallyport.dev/decision']

/** Was the call answered by the server? */
export const isForwarded = ({ message }: Answer): boolean =>
  message.result !== undefined && message.result.isError !== true
