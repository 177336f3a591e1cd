import type { JsonObject } from '../../src/core/json/json.ts'
import type { Log, LogEvent } from '../../src/core/log.ts'
import {
  createLegacyOverModern,
  type LegacyOverModernMeans,
} from '../../src/gateway/bridge/legacy-over-modern.ts'
import type { ReplySink, Upstream, UpstreamRequest } from '../../src/gateway/upstream/upstream.ts'
import { type AnsweringUpstream, answeringUpstream, type Respond } from './answering-upstream.ts'
import { Conversation } from './conversation.ts'
import { requestText } from './frames.ts'
import { RecordingSink } from './recording-sink.ts'

/** What a fake stateless server says of itself. */
export const DISCOVERED = {
  resultType: 'complete',
  ttlMs: 0,
  cacheScope: 'private',
  supportedVersions: ['2026-07-28'],
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true },
    logging: {},
    extensions: { 'io.modelcontextprotocol/tasks': {}, 'example.com/extra': { on: true } },
  },
  instructions: 'be kind',
  _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'modern', version: '7' } },
}

/** A stateless server in memory, and the bridge over it. */
export interface BridgedServer {
  readonly server: AnsweringUpstream
  readonly bridge: Upstream
  readonly logged: readonly LogEvent[]
  /** The time; turned by hand. */
  readonly clock: { at: number; now(): number }
  /** A client in a session of its own. */
  client(params?: JsonObject): Promise<Conversation>
  /** Another bridge over the same server, as after a restart. */
  restarted(): Upstream
}

const lists: Readonly<Record<string, JsonObject>> = {
  'server/discover': DISCOVERED,
  'tools/list': { tools: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
}

/** Opens one; what `respond` leaves undefined is answered as a small server would. */
export function bridgedServer(
  respond: Respond,
  means: Partial<LegacyOverModernMeans> = {},
): BridgedServer {
  const server = answeringUpstream((request, sink) => {
    const method = request.frame.kind === 'response' ? '' : request.frame.method
    const said = respond(request, sink)
    if (said !== undefined || sinkWasUsed.has(sink)) return said
    const list = lists[method]
    return list === undefined ? undefined : { result: list }
  })
  const logged: LogEvent[] = []
  const log: Log = (_, event) => void logged.push(event)
  const clock = { at: 1_000_000, now: () => clock.at }
  const all = { name: 'fake', log, clock, mirrorsArguments: true, primeAfterMs: 60_000, ...means }
  const bridge = createLegacyOverModern(server, all)
  return {
    server,
    bridge,
    logged,
    clock,
    restarted: () => createLegacyOverModern(server, all),
    async client(params = {}) {
      const client = new Conversation(bridge, 'legacy')
      const sink = await client.send(requestText('init', 'initialize', opening(params))).over()
      if (sink.error !== undefined) throw sink.error
      client.session = sink.session
      return client
    },
  }
}

/** The params of an `initialize`. */
export const opening = (params: JsonObject = {}): JsonObject => ({
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'old', version: '1' },
  ...params,
})

const sinkWasUsed = new WeakSet<ReplySink>()

/** Begins a stream of events as the answer. */
export function stream(sink: ReplySink): (message: object) => boolean {
  sinkWasUsed.add(sink)
  sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
  return (message) => sink.event({ data: JSON.stringify({ jsonrpc: '2.0', ...message }) })
}

/** The params of a request as the server reads them. */
export const paramsOf = ({ frame }: UpstreamRequest): Record<string, unknown> =>
  (JSON.parse(frame.text) as { params: Record<string, unknown> }).params

/** `_meta` of a request as the server reads it. */
export const metaOf = (request: UpstreamRequest): Record<string, unknown> =>
  paramsOf(request)._meta as Record<string, unknown>

/** Reads on behind an event. */
export function listenAfter(client: Conversation, id: string | undefined): RecordingSink {
  const sink = new RecordingSink()
  const headers = id === undefined ? [] : ['last-event-id', id]
  client.upstream.listen({ ...client.around(), headers }, sink)
  return sink
}
