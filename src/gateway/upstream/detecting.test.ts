import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { requestText } from '../../../test/fakes/frames.ts'
import type { RecordingSink } from '../../../test/fakes/recording-sink.ts'
import { until } from '../../../test/fakes/until.ts'
import type { LogEvent } from '../../core/log.ts'
import { openUpstream } from './index.ts'
import type { Upstream } from './upstream.ts'

/** How a server behaves that can be another one from one moment to the next. */
type Kind =
  | 'http'
  | 'sse'
  | 'silent'
  | 'any verb'
  | { readonly status: number; readonly type: string; readonly body: string }

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const INITIALIZE = requestText('init', 'initialize', {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})
const resultOf = (text: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: JSON.parse(text).id,
    result: { protocolVersion: '2024-11-05' },
  })

/** A server at one URL, which speaks what `state.kind` says, and keeps what it was asked. */
async function open(kind: Kind, transport: 'auto' | 'http' | 'sse' = 'auto') {
  const state = { kind, asked: [] as string[], executed: [] as string[] }
  const streams = new Set<ServerResponse>()
  const post = (text: string, response: ServerResponse): void => {
    if (state.kind === 'http') {
      state.executed.push(JSON.parse(text).method)
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(resultOf(text))
    } else if (state.kind === 'any verb') listen(response)
    else if (typeof state.kind === 'string') response.writeHead(405).end('no')
    else
      response
        .writeHead(state.kind.status, { 'Content-Type': state.kind.type })
        .end(state.kind.body)
  }
  const message = (text: string, response: ServerResponse): void => {
    state.executed.push(JSON.parse(text).method)
    response.writeHead(202).end()
    for (const stream of streams) stream.write(`data: ${resultOf(text)}\n\n`)
  }
  const listen = (response: ServerResponse): void => {
    if (state.kind === 'http') {
      response.writeHead(405).end()
      return
    }
    streams.add(response)
    response.once('close', () => streams.delete(response))
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    if (state.kind === 'sse' || state.kind === 'any verb')
      response.write('event: endpoint\ndata: /send\n\n')
    else if (state.kind === 'silent') response.flushHeaders()
    else response.end('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n')
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    state.asked.push(`${request.method} ${request.url}`)
    if (request.method === 'GET') return listen(response)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if (request.url === '/send') message(text, response)
    else post(text, response)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await until(() => server.listening, 'the server')
  closers.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const log: LogEvent[] = []
  const target = {
    kind: 'http',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    headers: {},
    transport,
  } as const
  const upstream = openUpstream(
    { id: 'id', name: 'any', target, era: 'both', methods: [], source: 'file' },
    { log: (_, event) => void log.push(event), clock: { now: () => performance.now() } },
  )
  closers.push(() => upstream.close())
  return { state, upstream, log }
}

const initialize = (upstream: Upstream): Promise<RecordingSink> =>
  new Conversation(upstream, 'legacy').send(INITIALIZE).over()

const html = (status: number): Kind => ({ status, type: 'text/html', body: '<html>' })

describe('the transport of a server with a URL', () => {
  test('is Streamable HTTP when that is answered, and nothing else is tried', async () => {
    const { upstream, state, log } = await open('http')
    expect((await initialize(upstream)).message.result).toBeDefined()
    expect(state.asked).toEqual(['POST /mcp'])
    expect(log).toContainEqual({ event: 'upstream.detected', upstream: 'any', transport: 'http' })
  })

  test('is HTTP+SSE when the opening is refused and a stream names an endpoint', async () => {
    const { upstream, state, log } = await open('sse')
    const sink = await initialize(upstream)
    expect(sink.message.result).toBeDefined()
    expect(sink.session).toMatch(/^sallyport-sse\./)
    expect(sink.faults).toEqual([])
    expect(state.executed).toEqual(['initialize'])
    expect(log).toContainEqual({ event: 'upstream.detected', upstream: 'any', transport: 'sse' })
  })

  test('is HTTP+SSE when a server answers the opening itself with an endpoint', async () => {
    const { upstream, state } = await open('any verb')
    const sink = await initialize(upstream)
    expect(sink.message.result).toBeDefined()
    expect([sink.session?.startsWith('sallyport-sse.'), sink.faults]).toEqual([true, []])
    expect(state.executed).toEqual(['initialize'])
  })

  test('is Streamable HTTP when the opening is answered by a stream', async () => {
    const message = '{"jsonrpc":"2.0","id":"init","result":{}}'
    const body = `id: 1\ndata:\n\ndata: ${message}\n\n`
    const { upstream, state } = await open({ status: 200, type: 'text/event-stream', body })
    const sink = await initialize(upstream)
    expect([sink.events, sink.faults]).toEqual([['', message], []])
    expect(state.asked).toEqual(['POST /mcp'])
    const empty = await open({ status: 200, type: 'text/event-stream', body: '' })
    const nothing = await initialize(empty.upstream)
    expect([nothing.kind, nothing.events, nothing.faults]).toEqual(['events', [], []])
  })

  test('is not looked for again', async () => {
    const { upstream, state } = await open('sse')
    await initialize(upstream)
    state.asked.length = 0
    await initialize(upstream)
    expect(state.asked).toEqual(['GET /mcp', 'POST /send'])
  })

  test('is looked for again once what was known fails', async () => {
    const { upstream, state } = await open('sse')
    await initialize(upstream)
    state.kind = 'http'
    expect((await initialize(upstream)).message.result).toBeDefined()
    state.asked.length = 0
    expect((await initialize(upstream)).message.result).toBeDefined()
    expect(state.asked).toEqual(['POST /mcp'])
    state.kind = 'sse'
    expect((await initialize(upstream)).session).toMatch(/^sallyport-sse\./)
  })

  test('is not doubted by the answer of a server that speaks JSON-RPC', async () => {
    const body = '{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}'
    const { upstream, state } = await open({ status: 400, type: 'application/json', body })
    const sink = await initialize(upstream)
    expect([sink.status, sink.text]).toEqual([400, body])
    expect(state.asked).toEqual(['POST /mcp'])
  })

  test.each([
    [400, 'application/json', '{"status":400}', 'upstream_broken'],
    [404, 'application/json', '{"detail":"Not Found"}', 'upstream_broken'],
    [404, 'text/html', '<html>', 'upstream_broken'],
    [405, 'text/plain', 'no', 'verb_refused'],
    [422, 'application/json', '[]', 'upstream_broken'],
  ])(
    'is asked for behind %i %s; without one the refusal stays',
    async (status, type, body, code) => {
      const { upstream, state } = await open({ status, type, body })
      const sink = await initialize(upstream)
      expect(state.asked).toEqual(['POST /mcp', 'GET /mcp'])
      expect(sink.error?.code).toBe(code)
      expect(sink.faults).toEqual([])
    },
  )

  test.each([401, 403, 429, 500, 502, 307])('is not asked for behind %i', async (status) => {
    const { upstream, state } = await open(html(status))
    expect((await initialize(upstream)).error).toBeDefined()
    expect(state.asked).toEqual(['POST /mcp'])
  })

  test('is not HTTP+SSE when the first event is no endpoint', async () => {
    const { upstream } = await open(html(404))
    expect((await initialize(upstream)).error?.message).toContain('HTTP 404')
  })

  test('never makes a call happen twice', async () => {
    const { upstream, state } = await open('sse')
    const modern = new Conversation(upstream, 'modern')
    const sink = await modern.call('pay')
    expect([sink.error?.code, sink.wasSent]).toEqual(['version_unsupported', false])
    expect(state.executed).toEqual([])
    state.kind = 'http'
    await initialize(upstream)
    expect((await modern.call('pay')).error).toBeUndefined()
    expect(state.executed).toEqual(['initialize', 'tools/call'])
    // A call that is refused is not tried over another transport.
    state.kind = html(404)
    state.asked.length = 0
    expect((await modern.call('pay')).error?.code).toBe('upstream_broken')
    expect(state.asked).toEqual(['POST /mcp'])
  })

  test('is not looked for by those who have gone', async () => {
    const { upstream, state } = await open('silent')
    const one = new Conversation(upstream, 'legacy').exchange(INITIALIZE)
    const other = new Conversation(upstream, 'legacy').send(INITIALIZE)
    await until(() => state.asked.length === 3, 'the question, which is one for both')
    expect(state.asked.toSorted()).toEqual(['GET /mcp', 'POST /mcp', 'POST /mcp'])
    one.cancel()
    await upstream.close()
    expect((await other.over()).error?.code).toBe('verb_refused')
    expect([one.sink.heads, one.sink.error]).toEqual([[], undefined])
  })

  test('can be said: then no other is tried', async () => {
    const http = await open('sse', 'http')
    expect((await initialize(http.upstream)).error?.code).toBe('verb_refused')
    expect(http.state.asked).toEqual(['POST /mcp'])
    const sse = await open('http', 'sse')
    expect((await initialize(sse.upstream)).error?.code).toBe('verb_refused')
    expect(sse.state.asked).toEqual(['GET /mcp'])
  })

  test('of a session is known from its id, also after a restart', async () => {
    const first = await open('sse')
    const { session } = await initialize(first.upstream)
    const second = await open('sse')
    const client = new Conversation(second.upstream, 'legacy')
    client.session = session
    expect((await client.call('x')).error?.code).toBe('session_unknown')
    expect(second.state.asked).toEqual([])
  })
})
