import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { requestText } from '../../../test/fakes/frames.ts'
import { RecordingSink } from '../../../test/fakes/recording-sink.ts'
import {
  openScriptedSseServer,
  type SseScript,
  type SseServer,
} from '../../../test/fakes/scripted-sse-server.ts'
import { until } from '../../../test/fakes/until.ts'
import type { LogEvent } from '../../core/log.ts'
import { createSseUpstream, type SseBounds, type SseUpstream } from './sse.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const log: LogEvent[] = []

function connect(url: string, bounds: Partial<SseBounds> = {}): SseUpstream {
  log.length = 0
  const upstream = createSseUpstream({
    name: 'scripted',
    target: { kind: 'http', url, headers: { Authorization: 'Bearer of-the-gateway' } },
    log: (_level, event) => void log.push(event),
    clock: { now: () => performance.timeOrigin + performance.now() },
    bounds,
  })
  closers.push(() => upstream.close())
  return upstream
}

async function open(
  script: SseScript = {},
  bounds: Partial<SseBounds> = {},
): Promise<{ server: SseServer; upstream: SseUpstream }> {
  const server = await openScriptedSseServer(script)
  closers.push(() => server.close())
  return { server, upstream: connect(server.url, bounds) }
}

const INITIALIZE = requestText('init', 'initialize', {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})
/** How `initialize` ends. */
const opened = (upstream: SseUpstream): Promise<RecordingSink> =>
  new Conversation(upstream, 'legacy').send(INITIALIZE).over()

describe('the endpoint that a server names', () => {
  test.each([
    ['another host', 'http://evil.example/send'],
    ['another port', 'http://127.0.0.1:1/send'],
    ['another scheme', 'https://127.0.0.1/send'],
    ['a host without a scheme', '//evil.example/send'],
    ['a host behind backslashes', '\\\\evil.example\\send'],
    ['no network address', 'data:text/plain,x'],
    ['a user name', 'http://user@127.0.0.1:PORT/send'],
    ['no URL', 'http://'],
    ['an address of 9,000 characters', `/send?${'x'.repeat(9000)}`],
  ])('gets nothing when it is %s', async (_, endpoint) => {
    const { server, upstream } = await open({
      begin: (stream) => {
        const { port } = new URL(`http://${stream.req.headers.host}`)
        stream.write(`event: endpoint\ndata: ${endpoint.replace('PORT', port)}\n\n`)
      },
    })
    const sink = await opened(upstream)
    expect(sink.error?.code).toBe('upstream_broken')
    expect(sink.wasSent).toBe(false)
    expect(server.requests.map(({ method }) => method)).toEqual(['GET'])
    await until(() => server.streams() === 0, 'the stream to be closed')
    await expect(upstream.isThere()).rejects.toMatchObject({ code: 'upstream_broken' })
  })

  test('is taken once: a second one moves nothing', async () => {
    const { server, upstream } = await open({
      begin: (stream, endpoint) => {
        stream.write(`event: endpoint\ndata: ${endpoint}\n\n`)
        stream.write('event: endpoint\ndata: /elsewhere\n\n')
        stream.write('event: endpoint\ndata: http://evil.example/\n\n')
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    expect((await client.call('line')).error).toBeUndefined()
    const paths = server.requests.map(({ url }) => url?.split('?')[0])
    expect(new Set(paths)).toEqual(new Set(['/sse', '/send']))
    expect(log.filter(({ event }) => event === 'upstream.babbled')).toHaveLength(2)
  })

  test('may be relative to the stream, and whole', async () => {
    for (const form of [(e: string) => e.slice(1), (e: string, origin: string) => origin + e]) {
      const { upstream } = await open({
        begin: (stream, endpoint) =>
          void stream.write(
            `event: endpoint\ndata: ${form(endpoint, `http://${stream.req.headers.host}`)}\n\n`,
          ),
      })
      expect((await opened(upstream)).error).toBeUndefined()
    }
  })

  test('is waited for, but not for ever', async () => {
    const { server, upstream } = await open({ begin() {} }, { endpointTimeoutMs: 50 })
    const sink = await opened(upstream)
    expect(sink.error?.code).toBe('upstream_timeout')
    expect(sink.wasSent).toBe(false)
    expect(await upstream.isThere()).toBe(false)
    await until(() => server.streams() === 0, 'the streams to be closed')
  })
})

describe('a server over HTTP+SSE', () => {
  test('gets the configured headers and the revision, and nothing of the client’s credentials', async () => {
    const { server, upstream } = await open()
    const client = new Conversation(upstream, 'legacy')
    client.around = () => ({
      era: 'legacy',
      protocolVersion: '2024-11-05',
      session: client.session,
      grantId: client.grantId,
      headers: [
        'accept',
        'a/b',
        'authorization',
        'Bearer of-the-client',
        'traceparent',
        '00-1-2-3',
      ],
    })
    await client.open()
    await client.call('line')
    const [get, first, ...rest] = server.requests
    for (const request of server.requests)
      expect(request.headers.authorization).toBe('Bearer of-the-gateway')
    expect(get?.headers.accept).toBe('text/event-stream')
    expect(first?.headers['mcp-protocol-version']).toBeUndefined()
    expect(rest.map(({ headers }) => headers['mcp-protocol-version'])).toEqual([
      '2024-11-05',
      '2024-11-05',
    ])
    expect(first?.headers.traceparent).toBe('00-1-2-3')
  })

  test('sees a notification before the request that follows it', async () => {
    const texts: string[] = []
    let late: (() => void) | undefined
    const { upstream } = await open({
      take(text, response) {
        texts.push(text)
        if (!text.includes('notifications/initialized')) return false
        late = () => response.writeHead(202).end()
        return true
      },
    })
    const client = new Conversation(upstream, 'legacy')
    client.session = (await client.send(INITIALIZE).over()).session
    const note = client.notify('notifications/initialized')
    const call = client.send(client.text('line'))
    await until(() => late !== undefined, 'the notification')
    expect(texts).toHaveLength(2)
    expect([note.isOver, call.isOver]).toEqual([false, false])
    late?.()
    await Promise.all([note.over(), call.over()])
    expect(call.error).toBeUndefined()
    expect(texts).toHaveLength(3)
  })

  test('does not hold up what follows a notification for ever', async () => {
    const { upstream } = await open(
      { take: (text) => text.includes('notifications/initialized') },
      { orderTimeoutMs: 50 },
    )
    const client = new Conversation(upstream, 'legacy')
    client.session = (await client.send(INITIALIZE).over()).session
    client.notify('notifications/initialized')
    expect((await client.call('line')).error).toBeUndefined()
  })

  test('that never answers a message but the question in it is still heard', async () => {
    const { upstream } = await open({
      take(text, response, stream) {
        if (!text.includes('"tools/call"')) return false
        stream.write('data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"heard"}]}}\n\n')
        response.once('close', () => {})
        return true
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    expect((await client.call('line')).said).toBe('heard')
  })

  test.each([
    [400, 'upstream_broken', false],
    [401, 'upstream_unreachable', false],
    [500, 'upstream_broken', true],
    [302, 'upstream_broken', false],
  ])('that answers a message with %i fails that message with %s', async (status, code, wasSent) => {
    const { upstream } = await open({
      take(text, response) {
        if (text.includes('"tools/call"')) response.writeHead(status, { Location: '/x' }).end('{}')
        return text.includes('"tools/call"')
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    const sink = await client.call('line')
    expect([sink.error?.code, sink.wasSent]).toEqual([code, wasSent])
    expect(
      (await client.send(client.text('x').replace('tools/call', 'ping')).over()).message,
    ).toBeDefined()
  })

  test('that knows the session no more ends it', async () => {
    const { server, upstream } = await open({
      take(text, response) {
        if (text.includes('"tools/call"')) response.writeHead(404).end()
        return text.includes('"tools/call"')
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    expect((await client.call('line')).error?.code).toBe('session_unknown')
    expect((await client.call('line')).error?.code).toBe('session_unknown')
    await until(() => server.streams() === 0, 'the stream to be closed')
  })

  test('that drops the stream loses what was sent, and the session', async () => {
    const { upstream } = await open()
    const client = await new Conversation(upstream, 'legacy').open()
    const { sink: listening } = client.listen()
    const lost = await client.call('die')
    expect([lost.error?.code, lost.wasSent]).toEqual(['upstream_lost', true])
    expect((await client.call('line')).error?.code).toBe('session_unknown')
    await until(() => listening.isOver, 'the listen stream to end')
  })

  test('that sends an event without end is given up', async () => {
    const { server, upstream } = await open({
      take(text, _response, stream) {
        if (!text.includes('"tools/call"')) return false
        const part = `data: ${'x'.repeat(1 << 20)}\n`
        const more = (): void => {
          while (!stream.destroyed && stream.write(part));
          if (!stream.destroyed) stream.once('drain', more)
        }
        more()
        return true
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    const sink = await client.call('line')
    expect(sink.error?.message).toContain('an event of its stream is too large')
    await until(() => server.streams() === 0, 'the stream to be closed')
  })

  test('is answered only what it asked', async () => {
    const { server, upstream } = await open()
    const client = await new Conversation(upstream, 'legacy').open()
    const before = server.requests.length
    const sink = await client.send('{"jsonrpc":"2.0","id":"never","result":{}}').over()
    expect(sink.error?.code).toBe('response_unexpected')
    expect(server.requests).toHaveLength(before)
  })

  test('may answer what nobody asked: it goes nowhere', async () => {
    const { upstream } = await open({
      take(text, _response, stream) {
        if (text.includes('"tools/call"'))
          stream.write('data: {"jsonrpc":"2.0","id":"unasked","result":{}}\n\n')
        return false
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    const { sink: listening } = client.listen()
    const sink = await client.call('line')
    expect(sink.message.id).toBe(1)
    expect(listening.events).toEqual([])
    expect(log.map(({ event }) => event)).toContain('upstream.babbled')
  })

  test.each([
    ['another id', '{"jsonrpc":"2.0","id":99,"result":{"content":[{"text":"forged"}]}}'],
    ['the id as a text', '{"jsonrpc":"2.0","id":"1","result":{"content":[{"text":"forged"}]}}'],
    ['no protocol', '{"id":1,"result":{"content":[{"text":"forged"}]}}'],
    ['another protocol', '{"jsonrpc":"1.0","id":1,"result":{"content":[{"text":"forged"}]}}'],
    [
      'both result and error',
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"forged"}}',
    ],
    ['no JSON', 'forged'],
    [
      'a batch with one of these',
      '[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"1.0","forged":1}]',
    ],
  ])('may answer with %s: nothing of it goes on', async (_, forged) => {
    const { upstream } = await open({
      take(text, _response, stream) {
        if (text.includes('"tools/call"')) stream.write(`data: ${forged}\n\n`)
        return false
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    const { sink: listening } = client.listen()
    const sink = await client.call('line')
    expect(JSON.parse(sink.said).params.name).toBe('line')
    expect(JSON.stringify([sink.events, listening.events])).not.toContain('forged')
  })

  test('may answer twice: the first counts', async () => {
    const { upstream } = await open({
      take(text, response, stream) {
        if (!text.includes('"tools/call"')) return false
        response.writeHead(202).end()
        for (const said of ['first', 'second'])
          stream.write(
            `data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"${said}"}]}}\n\n`,
          )
        return true
      },
    })
    const client = await new Conversation(upstream, 'legacy').open()
    const { sink: listening } = client.listen()
    const sink = await client.call('line')
    expect(sink.said).toBe('first')
    await until(() => log.some(({ event }) => event === 'upstream.babbled'), 'the second')
    expect([sink.faults, listening.events]).toEqual([[], []])
  })

  test('is told of a request that took too long', async () => {
    const { upstream } = await open({}, { requestTimeoutMs: 1_500 })
    const client = await new Conversation(upstream, 'legacy').open()
    expect((await client.call('silent')).error?.code).toBe('upstream_timeout')
    expect((await client.call('seen')).said).toContain('notifications/cancelled')
  })

  test('refuses more sessions than it may have, and serves again once one has ended', async () => {
    const { upstream } = await open({}, { maxSessions: 1 })
    const client = await new Conversation(upstream, 'legacy').open()
    expect((await opened(upstream)).error?.code).toBe('too_busy')
    await upstream.endSession(client.around())
    expect((await opened(upstream)).error).toBeUndefined()
  })

  test('refuses messages while it takes none', async () => {
    const { upstream } = await open(
      { take: (text) => text.includes('"tools/call"') },
      { maxBacklogBytes: 100_000 },
    )
    const client = await new Conversation(upstream, 'legacy').open()
    client.send(client.text('line', { text: 'x'.repeat(150_000) }))
    expect((await client.call('line')).error?.code).toBe('too_busy')
  })

  test('ends a session that nobody uses', async () => {
    const { server, upstream } = await open({}, { idleMs: 50 })
    await new Conversation(upstream, 'legacy').open()
    await until(() => server.streams() === 0, 'the stream to be closed')
  })

  test('of one grant is unknown to another', async () => {
    const { upstream } = await open()
    const client = await new Conversation(upstream, 'legacy').open()
    const thief = new Conversation(upstream, 'legacy', 'grant-2')
    thief.session = client.session
    expect((await thief.call('line')).error?.code).toBe('session_unknown')
    expect(await upstream.endSession(thief.around())).toBe(404)
    expect(thief.listen().sink.events).toEqual([])
    expect((await client.call('line')).error).toBeUndefined()
  })

  test('is never asked anything of the stateless era', async () => {
    const { server, upstream } = await open()
    const client = new Conversation(upstream, 'modern')
    const sink = await client.call('line')
    expect([sink.error?.code, sink.wasSent]).toEqual(['version_unsupported', false])
    expect(server.requests).toEqual([])
  })

  test('loses the client that goes away while it is connecting', async () => {
    const { server, upstream } = await open({ begin() {} })
    const { cancel, sink } = new Conversation(upstream, 'legacy').exchange(INITIALIZE)
    await until(() => server.streams() === 1, 'the stream')
    cancel()
    await until(() => server.streams() === 0, 'the stream to be closed')
    expect(sink.heads).toEqual([])
  })

  test('that is not there is unreachable', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await until(() => server.listening, 'a port')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const upstream = connect(`http://127.0.0.1:${port}/sse`)
    const sink = await opened(upstream)
    expect([sink.error?.code, sink.wasSent]).toEqual(['upstream_unreachable', false])
    expect(await upstream.isThere()).toBe(false)
  })
})

test('a reader that does not read stops the server, and gets everything once it does', async () => {
  let written = 0
  const { upstream } = await open({
    take(text, response, stream) {
      if (!text.includes('"tools/call"')) return false
      response.writeHead(202).end()
      const pad = 'p'.repeat(60_000)
      const more = (): void => {
        while (written < 1000) {
          written++
          const params = { progressToken: 1, progress: written, message: pad }
          const note = { jsonrpc: '2.0', method: 'notifications/progress', params }
          if (!stream.write(`data: ${JSON.stringify(note)}\n\n`))
            return void stream.once('drain', more)
        }
        stream.write('data: {"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"all"}]}}\n\n')
      }
      more()
      return true
    },
  })
  const client = await new Conversation(upstream, 'legacy').open()
  const sink = new RecordingSink()
  sink.isFull = true
  client.send(client.text('line', {}, { progressToken: 1 }), sink)
  await until(() => sink.events.length > 0, 'the first event')
  let seen = -1
  // Until the kernel's buffers are full and nothing moves any more.
  await until(() => {
    const stands = seen === written && written > 0
    seen = written
    return stands
  }, 'the server to stand still')
  expect(written).toBeLessThan(1000)
  await until(() => {
    sink.drain()
    return sink.isOver
  }, 'the end')
  expect(sink.events).toHaveLength(1001)
  expect(sink.said).toBe('all')
})
