import type { JsonObject } from '../../src/core/json/json.ts'
import type { Upstream, UpstreamExchange } from '../../src/gateway/upstream/upstream.ts'
import { frameOf, requestText } from './frames.ts'
import { RecordingSink } from './recording-sink.ts'

/** What a stateless client gets. */
export interface Round {
  readonly resultType?: string
  readonly inputRequests?: Readonly<Record<string, { method: string; params?: JsonObject }>>
  readonly requestState?: string
  readonly [key: string]: unknown
}

/** A stateless client of an upstream, as the gateway speaks for it. */
export class StatelessClient {
  readonly upstream: Upstream
  readonly capabilities: JsonObject
  readonly grantId: string
  #nextId = 100

  constructor(upstream: Upstream, capabilities: JsonObject = {}, grantId = 'grant-1') {
    this.upstream = upstream
    this.capabilities = capabilities
    this.grantId = grantId
  }

  /** The text of a request, with the envelope of the stateless era. */
  text(method: string, params: JsonObject = {}, meta: JsonObject = {}): string {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'stateless', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': this.capabilities,
      ...meta,
    }
    return requestText(this.#nextId++, method, { ...params, _meta })
  }

  /** Sends a text as it is. */
  exchange(
    text: string,
    headers: readonly string[] = [],
  ): { sink: RecordingSink } & UpstreamExchange {
    const sink = new RecordingSink()
    const exchange = this.upstream.exchange(
      {
        era: 'modern',
        protocolVersion: '2026-07-28',
        session: undefined,
        grantId: this.grantId,
        headers,
        frame: frameOf(text),
        bytes: Buffer.from(text),
      },
      sink,
    )
    return { sink, cancel: () => exchange.cancel() }
  }

  send(method: string, params?: JsonObject, meta?: JsonObject): RecordingSink {
    return this.exchange(this.text(method, params, meta)).sink
  }
  call(name: string, args: JsonObject = {}, meta: JsonObject = {}): RecordingSink {
    return this.send('tools/call', { name, arguments: args }, meta)
  }
  /** Comes back to a call with what it was asked for. */
  again(name: string, args: JsonObject, inputResponses: JsonObject, state: unknown): RecordingSink {
    const requestState = state as string
    return this.send('tools/call', { name, arguments: args, inputResponses, requestState })
  }
}

/** The result that a client got. */
export const resultOf = async (sink: RecordingSink): Promise<Round> => {
  await sink.over()
  if (sink.error !== undefined) throw sink.error
  return sink.message.result as Round
}
