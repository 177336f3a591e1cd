import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { callText, requestText } from '../../../test/fakes/frames.ts'
import { grantDenying, openGate, serverOf } from '../../../test/fakes/gate.ts'
import { openScriptedHttpServer } from '../../../test/fakes/scripted-http-server.ts'
import { openStdio } from '../../../test/fakes/stdio-upstream.ts'
import { until } from '../../../test/fakes/until.ts'
import type { JsonObject } from '../../core/json/json.ts'
import { createHttpUpstream } from '../upstream/http.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { serveStdio } from './stdio.ts'

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly n?: number; readonly progress?: number }
  readonly result?: { readonly content?: readonly { readonly text: string }[] }
  readonly error?: { readonly code: number; readonly data: { readonly code: string } }
}

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

interface ConnectOptions {
  readonly maxFrameBytes?: number
  readonly output?: Writable
  /** Over stdio with the scripted server behind it unless given. */
  readonly upstream?: Upstream
}

/** A client over two streams. */
function connect(options: ConnectOptions = {}) {
  const upstream =
    options.upstream ?? openStdio({}, { bounds: { stdinGraceMs: 50, termGraceMs: 50 } }).upstream
  const { gate, records } = openGate()
  const input = new PassThrough()
  const lines: string[] = []
  let rest = ''
  const output =
    options.output ??
    new Writable({
      write(chunk, _encoding, done) {
        const pieces = (rest + chunk).split('\n')
        rest = pieces.pop() ?? ''
        lines.push(...pieces)
        done()
      },
    })
  const listener = serveStdio({
    gate,
    server: serverOf(upstream),
    grant: () => grantDenying('environment'),
    input,
    output,
    maxFrameBytes: options.maxFrameBytes ?? 1_000_000,
    drainMs: 5_000,
  })
  opened.push(async () => {
    await listener.close()
    await upstream.close()
  })
  const send = (text: string): void => void input.write(`${text}\n`)
  const messages = (): Message[] => lines.map((line) => JSON.parse(line) as Message)
  const answer = async (id: unknown): Promise<Message> => {
    const found = () => messages().find((m) => m.id === id && m.method === undefined)
    await until(() => found() !== undefined, `the answer to ${id}`)
    return found() ?? {}
  }
  const said = async (id: unknown): Promise<string> =>
    (await answer(id)).result?.content?.[0]?.text ?? ''
  const initialize = async (): Promise<void> => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: { roots: {} },
      clientInfo: { name: 'c', version: '1' },
    }
    send(requestText('init', 'initialize', params))
    await answer('init')
    send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  }
  return { input, lines, messages, send, answer, said, initialize, listener, records, upstream }
}

describe('a stdio listener', () => {
  test('passes allowed calls on as they came, and denies the others', async () => {
    const client = connect()
    await client.initialize()
    const text =
      '{"id":"a","jsonrpc":"2.0","method":"tools/call","params":{"name":"line","arguments":{"x":1.0}}}'
    client.send(text)
    expect(await client.said('a')).toBe(text)
    client.send(callText('b', 'environment'))
    expect(await client.said('b')).toBe('[POLICY DENIED] not this one')
    const tools = client.records.map((r) => [r.tool, r.effect, r.outcome, r.client.name])
    expect(tools.filter(([tool]) => tool !== undefined)).toEqual([
      ['line', 'allow', 'forwarded', 'c'],
      ['environment', 'deny', 'denied', 'c'],
    ])
  })

  test('keeps the order of frames that were sent all at once, and ends when its input does', async () => {
    const client = connect()
    const params = { protocolVersion: '2025-11-25', capabilities: {} }
    client.input.end(
      [
        requestText(0, 'initialize', params),
        '{"jsonrpc":"2.0","method":"notifications/initialized"}',
        callText(1, 'line'),
        callText(2, 'seen'),
      ].join('\n'),
    )
    await client.listener.ended
    expect(client.messages().map((m) => m.id)).toEqual([0, 1, 2])
    expect(await client.said(2)).toContain('notifications/initialized')
  })

  test('writes nothing but JSON-RPC messages, one a line, whatever the server writes', async () => {
    const client = connect()
    await client.initialize()
    for (const tool of ['babble', 'crlf', 'batch', 'duplicate', 'log', 'later'])
      client.send(callText(tool, tool))
    client.send(callText('p', 'progress', { n: 3 }, { progressToken: 1 }))
    await client.answer('p')
    for (const tool of ['babble', 'crlf', 'batch', 'duplicate', 'log', 'later'])
      await client.answer(tool)
    for (const message of client.messages()) expect(message).toMatchObject({ jsonrpc: '2.0' })
    expect(client.messages().filter((m) => m.id === 'duplicate').length).toBe(1)
    expect(client.messages().flatMap((m) => m.params?.progress ?? [])).toEqual([1, 2, 3])
  })

  test('brings what belongs to no request', async () => {
    const client = connect()
    await client.initialize()
    client.send(callText(1, 'later', { n: 3 }))
    const notes = () => client.messages().flatMap((m) => m.params?.n ?? [])
    await until(() => notes().length === 3, 'three notifications')
    expect(notes()).toEqual([1, 2, 3])
  })

  test('lets the server ask, and takes only answers to what it asked', async () => {
    const client = connect()
    await client.initialize()
    client.send(callText(1, 'ask', { id: 0 }))
    await until(() => client.messages().some((m) => m.method === 'roots/list'), 'the question')
    client.send('{"jsonrpc":"2.0","id":"0","result":{"forged":true}}')
    client.send('{"jsonrpc":"2.0","id":0,"result":{"roots":[]}}')
    expect(await client.said(1)).toContain('"result":{"roots":[]}')
    expect(client.records.filter((r) => r.code === 'response_unexpected').length).toBe(1)
  })

  test('refuses what has two readings, is no JSON, or is too long, and goes on', async () => {
    const client = connect({ maxFrameBytes: 1_000 })
    await client.initialize()
    client.send('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}')
    client.send('not json')
    client.input.write(Buffer.from([0x22, 0xff, 0x22, 0x0a]))
    client.send(callText('long', 'line', { fill: 'x'.repeat(5_000) }))
    client.send(callText('next', 'line'))
    await client.answer('next')
    const codes = client
      .messages()
      .flatMap((m) => (m.error === undefined ? [] : [m.error.data.code]))
    expect(codes).toEqual(['frame_invalid', 'frame_not_json', 'frame_not_json', 'frame_too_large'])
  })

  test('a cancelled call gets no answer, and the server is told', async () => {
    const client = connect()
    await client.initialize()
    client.send(callText('first', 'line'))
    await client.answer('first')
    client.send(callText('c', 'postponed'))
    client.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}')
    client.send(callText('s', 'seen'))
    expect(JSON.parse(await client.said('s')).at(-1)).toContain('"requestId":"c"')
    expect(client.messages().filter((m) => m.id === 'c')).toEqual([])
  })

  test('a stateless frame needs no session', async () => {
    const client = connect()
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'modern', version: '2' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    client.send(callText(1, 'line', {}, meta))
    await client.answer(1)
    expect(client.records.map((r) => [r.client.name, r.protocolVersion])).toEqual([
      ['modern', '2026-07-28'],
    ])
    client.send(
      callText(2, 'line', {}, { ...meta, 'io.modelcontextprotocol/protocolVersion': '2031-01-01' }),
    )
    expect((await client.answer(2)).error?.data).toEqual({
      code: 'version_unsupported',
      supported: ['2026-07-28'],
      requested: '2031-01-01',
    })
  })

  test('a task is only for clients that declare tasks', async () => {
    const client = connect()
    const ask = (id: number, capabilities: JsonObject) => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': capabilities,
      }
      client.send(requestText(id, 'tasks/get', { taskId: 't', _meta }))
      return client.answer(id)
    }
    expect((await ask(1, {})).error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
    })
    const extensions = { 'io.modelcontextprotocol/tasks': {} }
    expect((await ask(2, { extensions })).error?.code).toBe(-32602)
  })

  test('a stateless call that is cancelled is cancelled at the server', async () => {
    const client = connect()
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    client.send(callText('c', 'trickle', { n: 1 }, { ...meta, progressToken: 't' }))
    await until(() => client.lines.length === 1, 'the call to be under way')
    client.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}')
    client.send(callText('s', 'seen', {}, meta))
    expect(await client.said('s')).toContain('notifications/cancelled')
  })

  test('a subscription holds up no end: it gets its result when the input ends', async () => {
    const client = connect()
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    const notifications = { toolsListChanged: true }
    client.send(requestText('s1', 'subscriptions/listen', { notifications, _meta }))
    await until(() => client.lines.length > 0, 'the acknowledgement')
    const begun = performance.now()
    client.input.end()
    await client.listener.ended
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(await client.answer('s1')).toEqual({
      jsonrpc: '2.0',
      id: 's1',
      result: {
        resultType: 'complete',
        _meta: { 'io.modelcontextprotocol/subscriptionId': 's1' },
      },
    })
  })

  test('a client that does not read stops being read from', async () => {
    const stuck = new Writable({ highWaterMark: 1_000, write() {} })
    const client = connect({ output: stuck })
    client.send(requestText(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {} }))
    for (let i = 0; i < 200; i++) client.send('{"jsonrpc":"2.0","id":"x","id":1}')
    await until(() => client.input.isPaused(), 'the input to pause')
    expect(stuck.writableLength).toBeLessThan(100_000)
  })

  test('a server that dies fails what is in flight', async () => {
    const client = connect()
    await client.initialize()
    client.send(callText(1, 'silent'))
    client.send(callText(2, 'die'))
    expect((await client.answer(1)).error?.data.code).toBe('upstream_lost')
    expect((await client.answer(2)).error?.data.code).toBe('upstream_lost')
    expect(client.listener.failures().get('upstream_lost')).toBe(2)
  })
})

describe('a stdio listener before an HTTP upstream', () => {
  async function connectHttp() {
    const server = await openScriptedHttpServer()
    opened.push(() => server.close())
    const upstream = createHttpUpstream({ kind: 'http', url: server.url, headers: {} })
    return connect({ upstream })
  }

  test('keeps the session, and opens the stream that the client can not ask for', async () => {
    const client = await connectHttp()
    await client.initialize()
    client.send(callText(1, 'line', { exact: 1 }))
    expect(JSON.parse(await client.said(1)).params.arguments).toEqual({ exact: 1 })
    client.send(callText(2, 'later', { n: 2 }))
    const notes = () => client.messages().flatMap((m) => m.params?.n ?? [])
    await until(() => notes().length === 2, 'two notifications')
  })

  test('posts what the client says to what the server asked', async () => {
    const client = await connectHttp()
    await client.initialize()
    client.send(callText(1, 'ask', { id: 'q' }))
    await until(() => client.messages().some((m) => m.method === 'roots/list'), 'the question')
    client.send('{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}')
    expect(await client.said(1)).toContain('"result":{"roots":[]}')
  })

  test('answers when the server goes away in the middle', async () => {
    const client = await connectHttp()
    await client.initialize()
    client.send(callText(1, 'die'))
    expect((await client.answer(1)).error?.data.code).toBe('upstream_lost')
  })

  test('a stateless frame needs no session', async () => {
    const client = await connectHttp()
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    client.send(callText(1, 'progress', { n: 2 }, { ...meta, progressToken: 'p' }))
    expect(await client.said(1)).toBe('done')
    expect(client.messages().flatMap((m) => m.params?.progress ?? [])).toEqual([1, 2])
  })

  test.each([
    ['an error page', 502, 'text/html', '<html>Bad Gateway</html>'],
    ['JSON that is no message', 200, 'application/json', '{"ok":true}'],
    [
      'the answer to another request',
      200,
      'application/json',
      '{"jsonrpc":"2.0","id":9,"result":{}}',
    ],
    ['nothing', 202, 'text/plain', ''],
  ])('answers with an error when the server gives %s', async (_what, status, type, body) => {
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(status, { 'Content-Type': type }).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    opened.push(async () => void server.close())
    const { port } = server.address() as AddressInfo
    const upstream = createHttpUpstream({
      kind: 'http',
      url: `http://127.0.0.1:${port}/`,
      headers: {},
    })
    const client = connect({ upstream })
    client.send(
      requestText('init', 'initialize', { protocolVersion: '2025-11-25', capabilities: {} }),
    )
    expect((await client.answer('init')).error?.data.code).toBe('upstream_broken')
    expect(client.lines.length).toBe(1)
  })
})
