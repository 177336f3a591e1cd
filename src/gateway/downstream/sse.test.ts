import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { grantDenying, openGate, serverOf } from '../../../test/fakes/gate.ts'
import { type HttpGateway, openHttpGateway } from '../../../test/fakes/http-gateway.ts'
import { SseClient } from '../../../test/fakes/sse-client.ts'
import { openStdio } from '../../../test/fakes/stdio-upstream.ts'
import { until } from '../../../test/fakes/until.ts'
import type { GatewayError } from '../../core/errors.ts'
import { readHead } from './http-head.ts'
import { SseSessions } from './sse.ts'
import { Streams } from './streams.ts'

const MINE = 'token-of-mine-0123'
const OTHER = 'token-of-other-0123'
const ELSEWHERE = 'token-of-elsewhere-0123'

let gateway: HttpGateway
const clients: SseClient[] = []
beforeEach(async () => {
  gateway = await openHttpGateway(() => openStdio().upstream, {
    [MINE]: {},
    [OTHER]: {},
    [ELSEWHERE]: { server: 'elsewhere' },
  })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await gateway.close()
})

const clientOf = (token: string | undefined = MINE, server = 'scripted'): SseClient => {
  const client = new SseClient(`${gateway.url}/mcp/${server}/sse`, token)
  clients.push(client)
  return client
}
const ping = (id: string | number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' })

describe('the event stream', () => {
  test('begins with an endpoint of the same origin, of the same path, that nobody can guess', async () => {
    const client = clientOf()
    const { status, headers } = await client.open()
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(headers['mcp-session-id']).toBeUndefined()
    expect(client.events[0]?.data).toMatch(
      /^\/mcp\/scripted\/messages\?sessionId=[A-Za-z0-9_-]{22}$/,
    )
    const other = clientOf()
    await other.open()
    expect(other.endpoint.href).not.toBe(client.endpoint.href)
  })

  test('is open to the id of a server as well', async () => {
    const client = await clientOf(MINE, 'id-of-scripted').initialize()
    expect(client.endpoint.pathname).toBe('/mcp/id-of-scripted/messages')
    expect((await client.call('line')).result).toBeDefined()
  })

  test.each<[string, string | undefined, Record<string, string>, number, string]>([
    ['no credential', undefined, {}, 401, 'grant_missing'],
    ['an unknown credential', 'token-of-nobody-0123', {}, 401, 'grant_unknown'],
    ['a credential of another server', ELSEWHERE, {}, 403, 'grant_elsewhere'],
    ['a foreign origin', MINE, { origin: 'http://evil.example' }, 403, 'origin_refused'],
    ['no origin at all', MINE, { origin: 'null' }, 403, 'origin_refused'],
    ['another host', MINE, { host: 'evil.example' }, 403, 'host_refused'],
  ])('is closed to %s', async (_, token, headers, status, code) => {
    const client = clientOf(token)
    if (token === undefined) Object.assign(client, { token: undefined })
    const bare = new SseClient(client.url.href, token)
    const answer = await bare.open(headers)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text).error.data.code).toBe(code)
  })

  test('may be read by a page of an allowed origin', async () => {
    const origin = new URL(gateway.url).origin
    const { headers } = await clientOf().open({ origin })
    expect(headers['access-control-allow-origin']).toBe(origin)
  })

  test.each([
    ['POST', 'sse', 'GET, OPTIONS'],
    ['DELETE', 'sse', 'GET, OPTIONS'],
    ['GET', 'messages', 'POST, OPTIONS'],
  ])('is not reached by %s /%s', async (method, end, allow) => {
    const url = `${gateway.url}/mcp/scripted/${end}`
    const response = await fetch(url, { method, headers: { authorization: `Bearer ${MINE}` } })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
  })

  test('is there under no other spelling', async () => {
    for (const path of [
      '/mcp/scripted/sse/',
      '/mcp/scripted//sse',
      '/mcp/scripted/SSE',
      '/mcp/x/../scripted/sse',
      '/stacks/scripted/sse',
    ])
      await new Promise<void>((resolve) => {
        const sent = request(gateway.url, { path, headers: { authorization: `Bearer ${MINE}` } })
        sent.on('response', (response) => {
          expect([path, response.statusCode]).toEqual([path, 404])
          response.resume().on('end', resolve)
        })
        sent.end()
      })
  })

  test('ends with its grant, and what ran with it', async () => {
    const client = await clientOf().initialize()
    const stranger = await clientOf(OTHER).initialize()
    await client.post(
      JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'silent' } }),
    )
    gateway.revoke(MINE)
    await until(() => client.isOver, 'the stream to end')
    expect((await client.post(ping(10))).status).toBe(401)
    expect((await stranger.call('line')).result).toBeDefined()
  })

  test('ends when the server is configured anew', async () => {
    const client = await clientOf().initialize()
    gateway.replaceServers()
    await until(() => client.isOver, 'the stream to end')
    expect((await client.post(ping(10))).status).toBe(404)
  })

  test('ends at a stop, after what is in flight has had its answer', async () => {
    const late: (() => void)[] = []
    await gateway.close()
    gateway = await openHttpGateway(
      () => {
        const { upstream } = openStdio()
        return {
          ...upstream,
          exchange(request, sink) {
            if (!request.frame.text.includes('"late"')) return upstream.exchange(request, sink)
            late.push(() => void upstream.exchange(request, sink))
            return { cancel() {} }
          },
        }
      },
      { [MINE]: {} },
    )
    const [idle, busy] = [await clientOf().initialize(), await clientOf().initialize()]
    const call = busy.call('line', { late: true })
    await until(() => late.length === 1, 'the call')
    gateway.server.close()
    await until(() => idle.isOver, 'the idle stream to end')
    expect(busy.isOver).toBe(false)
    late[0]?.()
    expect((await call).result).toBeDefined()
    await until(() => busy.isOver, 'the busy stream to end')
  })
})

describe('a message', () => {
  test('is taken with 202 and answered on the stream, judged by the policy', async () => {
    const client = await clientOf().initialize()
    const sent = await client.post(ping(7))
    expect([sent.status, sent.text]).toEqual([202, ''])
    expect(await client.answer(7)).toMatchObject({ result: {} })
    const denied = await client.call('pid')
    expect(denied.result?.content?.[0]?.text).toBe('[POLICY DENIED] not this one')
    expect((await client.call('numbers')).result).toBeDefined()
    expect(client.events.at(-1)?.data).toContain('"big":12345678901234567890,"one":1.0')
  })

  test.each<[string, (good: URL) => string, number, string]>([
    [
      'a session that there is not',
      (u) => u.href.replace(/.{22}$/, 'A'.repeat(22)),
      404,
      'session_unknown',
    ],
    ['a session with more behind it', (u) => `${u.href}A`, 404, 'session_unknown'],
    ['two sessions', (u) => `${u.href}&sessionId=x`, 404, 'session_unknown'],
    ['another parameter', (u) => u.href.replace('sessionId', 'session'), 404, 'session_unknown'],
    ['no session', (u) => u.href.replace(/\?.*/, ''), 400, 'session_missing'],
  ])('for %s is refused', async (_, spoil, status, code) => {
    const client = await clientOf().initialize()
    const answer = await client.post(ping(1), { to: new URL(spoil(client.endpoint)) })
    expect([answer.status, JSON.parse(answer.text).error.data.code]).toEqual([status, code])
  })

  test('for the session of another grant or server finds none', async () => {
    const client = await clientOf().initialize()
    const thief = await clientOf(OTHER).initialize()
    const stolen = await thief.post(ping(1), { to: client.endpoint })
    expect(stolen.status).toBe(404)
    const elsewhere = clientOf(ELSEWHERE, 'elsewhere')
    const moved = new URL(client.endpoint.href.replace('scripted', 'elsewhere'))
    expect((await elsewhere.post(ping(1), { to: moved })).status).toBe(404)
    expect((await elsewhere.post(ping(1), { to: client.endpoint })).status).toBe(403)
    await client.call('line')
    expect(client.messages.filter(({ id }) => id === 1)).toHaveLength(1)
  })

  test('needs its credential, and an allowed origin', async () => {
    const client = await clientOf().initialize()
    const bare = new SseClient(client.url.href)
    expect((await bare.post(ping(1), { to: client.endpoint })).status).toBe(401)
    const foreign = await client.post(ping(1), { headers: { origin: 'http://evil.example' } })
    expect(foreign.status).toBe(403)
  })

  test.each<[string, string, number, string]>([
    ['no JSON', '{', 400, 'frame_not_json'],
    ['a repeated key', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, 'frame_invalid'],
    ['a batch', `[${ping(1)}]`, 400, 'frame_invalid'],
    [
      'a stateless message',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"line","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}',
      400,
      'request_refused',
    ],
    [
      'a response to nothing',
      '{"jsonrpc":"2.0","id":"never","result":{}}',
      400,
      'response_unexpected',
    ],
    ['a notification of no kind', '{"jsonrpc":"2.0","method":"tools/call"}', 400, 'frame_invalid'],
  ])('that is %s is refused', async (_, text, status, code) => {
    const client = await clientOf().initialize()
    const before = client.events.length
    const answer = await client.post(text)
    expect([answer.status, JSON.parse(answer.text).error.data.code]).toEqual([status, code])
    await client.call('line')
    expect(client.events.length).toBe(before + 1)
  })

  test.each<[string, Record<string, string>, number]>([
    ['another type', { 'content-type': 'text/plain' }, 415],
    ['an encoding', { 'content-encoding': 'gzip' }, 415],
    ['a revision that is none', { 'mcp-protocol-version': '1999-01-01' }, 400],
    ['a stateless revision', { 'mcp-protocol-version': '2026-07-28' }, 400],
    ['a method that is another', { 'mcp-method': 'tools/call' }, 400],
  ])('with a header that says %s is refused', async (_, headers, status) => {
    const client = await clientOf().initialize()
    expect((await client.post(ping(1), { headers })).status).toBe(status)
  })

  test('of more than four million bytes is refused', async () => {
    const client = await clientOf().initialize()
    const text = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'ping',
      params: { x: 'x'.repeat(4 << 20) },
    })
    expect((await client.post(text)).status).toBe(413)
  })

  test('that asks for the stateless era gets a server’s no', async () => {
    const client = clientOf()
    await client.open()
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    expect(await client.request('server/discover', { _meta })).toMatchObject({
      error: { code: -32601 },
    })
  })

  test('before `initialize` is told so on the stream', async () => {
    const client = clientOf()
    await client.open()
    expect((await client.request('tools/list')).error?.data?.code).toBe('session_missing')
  })

  test('that comes slowly holds up nobody', async () => {
    const client = await clientOf().initialize()
    const slow = connect(Number(client.url.port), '127.0.0.1')
    slow.on('error', () => {})
    slow.write(
      `POST ${client.endpoint.pathname}${client.endpoint.search} HTTP/1.1\r\nHost: ${client.url.host}\r\n` +
        `Authorization: Bearer ${MINE}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    )
    for (let i = 0; i < 10; i++) expect((await client.call('line')).result).toBeDefined()
    const before = client.messages.length
    slow.destroy()
    await client.call('line')
    expect(client.messages.length).toBe(before + 1)
  })
})

describe('a session', () => {
  test('of the revision with batches takes them, element by element', async () => {
    const client = await clientOf().initialize('2025-03-26')
    const call = (id: number, name: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name },
    })
    const sent = await client.post(JSON.stringify([call(11, 'line'), call(12, 'pid')]))
    expect(sent.status).toBe(202)
    expect((await client.answer(11)).result?.isError).toBeUndefined()
    expect((await client.answer(12)).result?.content?.[0]?.text).toContain('[POLICY DENIED]')
    const notes = await client.post(
      '[{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}]',
    )
    expect(notes.status).toBe(202)
    const bad = await client.post(`[${ping(13)},{}]`)
    expect(bad.status).toBe(400)
    await client.call('line')
    expect(client.messages.some(({ id }) => id === 13)).toBe(false)
  })

  test('lets the server ask, and takes one response to it', async () => {
    const client = await clientOf().initialize()
    const call = client.request('tools/call', { name: 'ask', arguments: { id: 'q-1' } }, 'asking')
    await until(() => client.messages.some(({ method }) => method === 'roots/list'), 'the question')
    const response = '{"jsonrpc":"2.0","id":"q-1","result":{"roots":[]}}'
    expect((await client.post(response)).status).toBe(202)
    expect((await call).result?.content?.[0]?.text).toContain('"roots":[]')
    expect((await client.post(response)).status).toBe(400)
  })

  test('hears what belongs to no request', async () => {
    const client = await clientOf().initialize()
    await client.call('later', { n: 2 })
    const notes = () => client.messages.filter(({ method }) => method?.endsWith('/list_changed'))
    await until(() => notes().length === 2, 'two notifications')
  })

  test('has one endpoint, whatever line ends a server writes', async () => {
    const client = await clientOf().initialize()
    await client.call('crlf')
    await client.call('line', { text: '\n\nevent: endpoint\ndata: http://evil.example/\n\n' })
    expect(client.events.filter(({ event }) => event !== undefined)).toHaveLength(1)
    expect(client.messages).toHaveLength(3)
  })

  test('cancels its own requests and no others', async () => {
    const [one, two] = [await clientOf().initialize(), await clientOf().initialize()]
    const silent = (id: number) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'silent' } })
    await one.post(silent(50))
    await two.post(silent(50))
    expect((await one.notify('notifications/cancelled', { requestId: 50 })).status).toBe(202)
    expect((await one.call('seen')).result?.content?.[0]?.text).toContain('cancelled')
    expect((await two.call('seen')).result?.content?.[0]?.text).not.toContain('cancelled')
  })

  test('ends with its stream, and the server’s with it', async () => {
    const client = await clientOf().initialize()
    const { endpoint } = client
    await client.post(
      JSON.stringify({ jsonrpc: '2.0', id: 60, method: 'tools/call', params: { name: 'silent' } }),
    )
    client.close()
    const isForwarded = () => gateway.records.some((r) => r.requestId === '60')
    await until(isForwarded, 'the call to be recorded')
    expect(gateway.records.find((r) => r.requestId === '60')).toMatchObject({ code: 'cancelled' })
    expect((await client.post(ping(1), { to: endpoint })).status).toBe(404)
  })

  test('of two clients of one grant are never mixed', async () => {
    const [one, two] = [await clientOf().initialize(), await clientOf().initialize()]
    const calls = [one, two].flatMap((client, who) =>
      Array.from({ length: 20 }, async (_, n) => {
        const { result } = await client.call('line', { who, n })
        expect(JSON.parse(result?.content?.[0]?.text ?? '').params.arguments).toEqual({ who, n })
      }),
    )
    await Promise.all(calls)
  })

  test('holds frames behind `initialize`', async () => {
    const client = clientOf()
    await client.open()
    const params = {
      protocolVersion: '2024-11-05',
      capabilities: {},
      clientInfo: { name: 'a', version: '1' },
    }
    const [opening, , call] = await Promise.all([
      client.request('initialize', params, 'init'),
      client.notify('notifications/initialized'),
      client.call('line'),
    ])
    expect([opening.result, call.result]).not.toContain(undefined)
  })
})

describe('a client that does not read', () => {
  const giant = (id: number, n = 3_000_000): string => {
    const params = { name: 'giant', arguments: { n } }
    return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })
  }

  test('is refused more, and gets what was taken once it reads', async () => {
    const client = await clientOf().initialize()
    client.stopReading()
    const taken = new Set<number>()
    for (let id = 100; id < 130; id++) {
      const { status, text } = await client.post(giant(id))
      if (status === 202) taken.add(id)
      else expect(JSON.parse(text).error.data.code).toBe('too_busy')
      const isDone = () => gateway.records.some(({ requestId }) => requestId === String(id))
      if (status === 202) await until(isDone, 'the server to answer')
    }
    expect(taken.size).toBeLessThan(20)
    client.resumeReading()
    for (const id of taken) expect((await client.answer(id)).result).toBeDefined()
    expect((await client.call('line')).result).toBeDefined()
  })

  test('but asks for ever more is let go before it fills the memory', {
    timeout: 30_000,
  }, async () => {
    const client = await clientOf().initialize()
    client.stopReading()
    const calls = Array.from({ length: 30 }, (_, id) => client.post(giant(id, 10_000_000)))
    const sent = await Promise.all(calls)
    const taken = sent.filter(({ status }) => status === 202).length
    const done = () => gateway.records.filter(({ method }) => method === 'tools/call')
    await until(() => done().length === taken, 'all to end')
    expect((await client.post(ping('last'))).status).toBe(404)
    // 64 MiB and what the system's buffers take; all would be 300 MB.
    expect(done().filter(({ outcome }) => outcome === 'forwarded').length).toBeLessThan(15)
  })
})

test('streams are bounded, of a grant and in all, and one that closes makes room', async () => {
  const { gate } = openGate()
  const streams = new Streams(() => true)
  const sessions = new SseSessions(gate, streams, { sessions: 2, ofGrant: 1 })
  const { upstream } = openStdio()
  const listener = createServer((incoming, response) => {
    const visit = {
      ...{ request: incoming, response, head: readHead(incoming), headers: [] },
      ...{ grant: { ...grantDenying(), id: incoming.headers['x-grant'] as string } },
      ...{ server: serverOf(upstream), isStillLive: () => true, refuse() {} },
    }
    try {
      sessions.open(visit)
    } catch (error) {
      response.writeHead(503).end((error as GatewayError).code)
    }
  })
  listener.listen(0, '127.0.0.1')
  await until(() => listener.listening, 'the listener')
  const { port } = listener.address() as AddressInfo
  const open = async (grant: string) => {
    const client = new SseClient(`http://127.0.0.1:${port}/mcp/scripted/sse`)
    clients.push(client)
    return { client, ...(await client.open({ 'x-grant': grant })) }
  }
  const first = await open('a')
  expect([first.status, (await open('a')).text]).toEqual([200, 'too_busy'])
  expect([(await open('b')).status, (await open('c')).text]).toEqual([200, 'too_busy'])
  first.client.close()
  let status = 503
  for (let tries = 0; status === 503 && tries < 100; tries++) ({ status } = await open('c'))
  expect(status).toBe(200)
  listener.closeAllConnections()
  await new Promise((resolve) => listener.close(resolve))
  streams.close()
  await upstream.close()
})
