import type { JsonObject } from '../../src/core/json/json.ts'
import type {
  Era,
  Upstream,
  UpstreamExchange,
  UpstreamRequest,
} from '../../src/gateway/upstream/upstream.ts'
import { callText, frameOf, requestText } from './frames.ts'
import { RecordingSink } from './recording-sink.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** One client of an upstream, as the gateway speaks for it. */
export class Conversation {
  readonly upstream: Upstream
  readonly era: Era
  readonly grantId: string
  session: string | undefined
  #nextId = 1

  constructor(upstream: Upstream, era: Era, grantId = 'grant-1') {
    this.upstream = upstream
    this.era = era
    this.grantId = grantId
  }

  /** Everything of a request besides its frame. */
  around(): Omit<UpstreamRequest, 'frame' | 'bytes'> {
    return {
      era: this.era,
      protocolVersion: this.era === 'legacy' ? '2025-11-25' : '2026-07-28',
      session: this.session,
      grantId: this.grantId,
      headers: ['accept', 'application/json, text/event-stream'],
    }
  }

  /** Sends a text as it is. */
  exchange(text: string, sink = new RecordingSink()): { sink: RecordingSink } & UpstreamExchange {
    const request = { ...this.around(), frame: frameOf(text), bytes: Buffer.from(text) }
    const exchange = this.upstream.exchange(request, sink)
    return { sink, cancel: () => exchange.cancel() }
  }

  send(text: string, sink?: RecordingSink): RecordingSink {
    return this.exchange(text, sink).sink
  }

  /** Opens a session (nothing to do in the stateless era). */
  async open(): Promise<this> {
    if (this.era === 'modern') return this
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: { sampling: {}, roots: {} },
      clientInfo: { name: 'test', version: '1' },
    }
    const sink = await this.send(requestText('init', 'initialize', params)).over()
    if (sink.error !== undefined) throw sink.error
    this.session = sink.session
    await this.notify('notifications/initialized').over()
    return this
  }

  notify(method: string, params: JsonObject = {}): RecordingSink {
    return this.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  /** The text of a call with an id of its own. */
  text(name: string, args: JsonObject = {}, meta: JsonObject = {}): string {
    return this.textAs(this.#nextId++, name, args, meta)
  }

  /** The text of a call with the given id. */
  textAs(id: string | number, name: string, args: JsonObject = {}, meta: JsonObject = {}): string {
    const all = this.era === 'modern' ? { ...META, ...meta } : meta
    return callText(id, name, args, Object.keys(all).length === 0 ? undefined : all)
  }

  /** Calls a tool; resolves when the reply has ended. */
  call(name: string, args: JsonObject = {}, meta: JsonObject = {}): Promise<RecordingSink> {
    return this.send(this.text(name, args, meta)).over()
  }

  listen(): { sink: RecordingSink } & UpstreamExchange {
    const sink = new RecordingSink()
    const exchange = this.upstream.listen(this.around(), sink)
    return { sink, cancel: () => exchange.cancel() }
  }
}
