import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventsOf, type Message } from '../fakes/mcp-http.ts'
import { freePort } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'resume-token-0123456789'
const OTHER = 'resume-token-of-another-0'

let space: Space
beforeEach(() => {
  space = new Space()
  space.file('policy.json', { version: '1', default: 'allow', hide: ['secret'] })
})
afterEach(() => space.close())

const serve = (url: string, port = 0): Promise<Served> =>
  space.serve(
    {
      servers: { stub: { url, era: 'legacy' } },
      policies: { p: './policy.json' },
      grants: {
        test: { server: 'stub', policy: 'p', token: TOKEN },
        other: { server: 'stub', policy: 'p', token: OTHER },
      },
    },
    { port },
  )

/** An event as a server of 2025-11-25 writes it. */
const event = (id: string, message?: object): string =>
  `id: ${id}\ndata: ${message === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`

/** The first event id of a stream. */
const idIn = (text: string): string => {
  const id = /^id: (\S+)/m.exec(text)?.[1]
  if (id === undefined) throw new Error(`no event id in ${text}`)
  return id
}

/** A server that breaks off every stream after priming it, and gives the answer to who resumes. */
async function openHangingUp() {
  const answers = new Map<string, object>()
  const resumed: (string | undefined)[] = []
  const sessions: (string | undefined)[] = []
  const ended: (string | undefined)[] = []
  let count = 0
  const serveOne = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = request.headers['mcp-session-id'] as string | undefined
    if (request.method === 'DELETE') {
      ended.push(session)
      return void response.writeHead(200).end()
    }
    if (request.method === 'GET') {
      const last = request.headers['last-event-id'] as string | undefined
      resumed.push(last)
      sessions.push(session)
      const answer = answers.get(last ?? '')
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      if (answer === undefined) return void response.flushHeaders()
      return void response.end(event(`${last}-answered`, answer))
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as Message
    if (id === undefined) return void response.writeHead(202).end()
    const head = { 'Content-Type': 'application/json', 'Mcp-Session-Id': 'the-servers-own' }
    if (method === 'initialize')
      return void response.writeHead(200, head).end(
        JSON.stringify({
          jsonrpc: '2.0',
          id,
          result: {
            protocolVersion: params?.protocolVersion,
            capabilities: { tools: {} },
            serverInfo: { name: 'hanging up', version: '1' },
          },
        }),
      )
    const result =
      method === 'tools/list'
        ? { tools: ['secret', 'open'].map((name) => ({ name, inputSchema: { type: 'object' } })) }
        : { content: [{ type: 'text', text: 'late' }] }
    const primed = `e${++count}`
    answers.set(primed, { id, result })
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.end(`retry: 10\n${event(primed)}`)
  }
  const server = createServer((request, response) => {
    serveOne(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  space.later(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return { url, resumed, sessions, ended }
}

/** A client of sessions that sees every byte. */
class Session {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, id?: string, token = TOKEN) {
    this.#url = url
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...(id === undefined ? {} : { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }),
    }
  }

  static async open(url: string, token = TOKEN): Promise<{ session: Session; id: string }> {
    const clientInfo = { name: 'bare', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const opened = await new Session(url, undefined, token).post('initialize', params, 'init')
    await opened.text()
    const id = opened.headers.get('mcp-session-id') ?? ''
    return { session: new Session(url, id, token), id }
  }

  post(method: string, params: object = {}, id: string | number = 1): Promise<Response> {
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    return fetch(this.#url, { method: 'POST', headers: this.#headers, body })
  }
  get(lastEventId?: string): Promise<Response> {
    const last = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    return fetch(this.#url, { headers: { ...this.#headers, ...last } })
  }
  end(): Promise<Response> {
    return fetch(this.#url, { method: 'DELETE', headers: this.#headers })
  }
}

describe('a stream that its server breaks off', () => {
  test('is primed as the server does it, and resumed from the server, list filtered', async () => {
    const upstream = await openHangingUp()
    const served = await serve(upstream.url)
    const { session } = await Session.open(served.mcp('stub'))
    const broken = await session.post('tools/list')
    expect(await broken.text()).toBe('id: e1\nretry: 10\ndata: \n\n')
    const resumed = await session.get('e1')
    expect(resumed.headers.get('mcp-session-id')).toBeNull()
    const text = await resumed.text()
    expect(text).toMatch(/^id: e1-answered\n/)
    const message = JSON.parse(eventsOf(text)[0] ?? '') as Message
    expect(message.id).toBe(1)
    expect(message.result?.tools).toEqual([{ name: 'open', inputSchema: { type: 'object' } }])
    expect(upstream).toMatchObject({ resumed: ['e1'], sessions: ['the-servers-own'] })
  })

  test('is resumed after the gateway was killed and started again', async () => {
    const upstream = await openHangingUp()
    const port = await freePort()
    const before = await serve(upstream.url, port)
    const { session } = await Session.open(before.mcp('stub'))
    const call = idIn(await (await session.post('tools/call', { name: 'open' })).text())
    const list = idIn(await (await session.post('tools/list')).text())
    before.program.kill('SIGKILL')
    await before.program.ended()
    await serve(upstream.url, port)
    const called = eventsOf(await (await session.get(call)).text())
    expect(JSON.parse(called[0] ?? '')).toMatchObject({ result: { content: [{ text: 'late' }] } })
    const listed = JSON.parse(eventsOf(await (await session.get(list)).text())[0] ?? '') as Message
    expect(listed.result?.tools).toHaveLength(1)
  })

  test('is resumed by nobody else', async () => {
    const upstream = await openHangingUp()
    const served = await serve(upstream.url)
    const { session, id } = await Session.open(served.mcp('stub'))
    await (await session.post('tools/list')).text()
    expect((await new Session(served.mcp('stub'), id, OTHER).get('e1')).status).toBe(404)
    expect(upstream.resumed).toEqual([])
  })

  test.each([
    ['SDK 1', () => new OldClient({ name: 'old', version: '1' }), OldHttp],
    ['SDK 2', () => new Client({ name: 'new', version: '1' }), StreamableHTTPClientTransport],
  ] as const)('costs a client of %s nothing', async (_, create, Http) => {
    const upstream = await openHangingUp()
    const served = await serve(upstream.url)
    const client = create() as Client
    const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } }
    await client.connect(new Http(new URL(served.mcp('stub')), { requestInit }) as never)
    space.later(() => client.close().catch(() => {}))
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['open'])
    const called = await client.callTool({ name: 'open', arguments: {} })
    expect(called.content).toEqual([{ type: 'text', text: 'late' }])
  })
})

describe('the reference server behind a gateway that was killed', () => {
  test('goes on in the same session', async () => {
    const reference = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
    const started = space.startOther([process.execPath, reference, '--eras', 'legacy'])
    const url = (await started.line('listening on ')).slice('listening on '.length)
    const port = await freePort()
    const before = await serve(url, port)
    const { session } = await Session.open(before.mcp('stub'))
    const broken = await (await session.post('tools/call', { name: 'test_reconnection' })).text()
    const last = idIn(broken)
    before.program.kill('SIGKILL')
    await before.program.ended()
    await serve(url, port)
    // The server replays what it has, and goes on with what is still to come.
    const response = await session.get(last)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!text.includes('answered after'))
      text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    expect(eventsOf(text).length).toBeGreaterThan(0)
  })
})

describe('a session', () => {
  test('that has ended opens no more, and has ended at its server', async () => {
    const upstream = await openHangingUp()
    const served = await serve(upstream.url)
    const { session } = await Session.open(served.mcp('stub'))
    const other = await Session.open(served.mcp('stub'))
    expect((await session.end()).status).toBe(200)
    expect(upstream.ended).toEqual(['the-servers-own'])
    for (const again of [session.post('tools/list'), session.get(), session.end()])
      expect((await again).status).toBe(404)
    expect((await other.session.post('tools/list')).status).toBe(200)
    expect(upstream.ended).toHaveLength(1)
  })

  test('has its quiet stream ended when the gateway stops, and no stray error on it', async () => {
    const upstream = await openHangingUp()
    const served = await serve(upstream.url)
    const { session } = await Session.open(served.mcp('stub'))
    const listening = await session.get()
    await until(() => upstream.resumed.length === 1, 'the stream at the server')
    served.program.kill('SIGTERM')
    expect(await listening.text()).toBe('')
    expect((await served.program.ended()).code).toBe(0)
  })
})

test('a policy that was edited while the gateway was down is told of when the client is back', async () => {
  const upstream = await openHangingUp()
  const port = await freePort()
  const before = await serve(upstream.url, port)
  const { session } = await Session.open(before.mcp('stub'))
  const told = async (): Promise<string> => {
    const reader = ((await session.get()).body as ReadableStream<Uint8Array>).getReader()
    const { value } = await reader.read()
    await reader.cancel()
    return new TextDecoder().decode(value)
  }
  before.program.kill('SIGKILL')
  await before.program.ended()
  space.file('policy.json', { version: '1', default: 'allow', hide: ['open'] })
  await serve(upstream.url, port)
  expect(eventsOf(await told())).toEqual([
    '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
  ])
})
