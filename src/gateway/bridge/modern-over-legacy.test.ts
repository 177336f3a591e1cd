import { describe, expect, test } from 'vitest'
import { resultOf } from '../../../test/fakes/stateless-client.ts'
import { closeFaces, openFace } from '../../../test/fakes/stateless-face.ts'
import { until } from '../../../test/fakes/until.ts'
import { GatewayError } from '../../core/errors.ts'

const P = 'io.modelcontextprotocol/'
closeFaces()

describe('a stateless client of a server with sessions', () => {
  test('discovers what the server said when it was initialized', async () => {
    const { server, client } = openFace()
    const found = await resultOf(client().send('server/discover'))
    expect(found).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      instructions: 'be kind',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [`${P}serverInfo`]: { name: 'with sessions' } },
    })
    expect(found.capabilities).toEqual({
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true, listChanged: true },
      logging: {},
    })
    expect(server.upstream.methods()).toEqual(['initialize', 'notifications/initialized'])
  })

  test('calls in a session that the server opened, in the version that it chose', async () => {
    const { server, client } = openFace()
    const sink = client().call('t', { a: 1 })
    const asked = await server.next()
    expect(asked.request).toMatchObject({
      era: 'legacy',
      session: 'session-1',
      protocolVersion: '2025-06-18',
      grantId: 'grant-1',
    })
    expect(asked.message.params).toEqual({ name: 't', arguments: { a: 1 } })
    asked.raw('{"content":[],"n":12345678901234567890}')
    expect(await resultOf(sink)).toMatchObject({ resultType: 'complete' })
    expect(sink.text).toContain('"n":12345678901234567890')
    expect(sink.message.id).toBe(100)
    expect(sink.faults).toEqual([])
  })

  test('shares a session with requests that are alike, and never an id', async () => {
    const { server, client } = openFace()
    const sinks = Array.from({ length: 20 }, () => client().call('t'))
    for (let i = 0; i < 20; i++) {
      const asked = await server.next()
      asked.result({ was: asked.id })
    }
    const ids = await Promise.all(sinks.map(async (sink) => (await resultOf(sink)).was))
    expect(new Set(ids).size).toBe(20)
    expect(new Set(sinks.map((sink) => sink.message.id))).toEqual(new Set([100]))
    expect(server.initialized).toHaveLength(1)
  })

  test('never shares a session with another grant or with other capabilities', async () => {
    const { server, client } = openFace()
    const clients = [
      client(),
      client({ roots: {} }),
      client({}, 'grant-2'),
      client({ elicitation: {} }),
    ]
    for (const one of clients) {
      const sink = one.call('t')
      ;(await server.next()).result({})
      await resultOf(sink)
    }
    expect(server.initialized.map(({ capabilities }) => capabilities)).toEqual([
      {},
      { roots: {} },
      {},
      { elicitation: {} },
    ])
    expect(new Set(server.upstream.got.map(({ session }) => session)).size).toBe(5)
  })

  test('sends its trace context on, and no other header', async () => {
    const { server, client } = openFace()
    const one = client()
    const headers = ['accept', 'x', 'traceparent', '00-1', 'mcp-param-a', 'b', 'last-event-id', '9']
    one.exchange(one.text('tools/call', { name: 't' }), headers)
    expect((await server.next()).request.headers).toEqual([
      ...['accept', 'application/json, text/event-stream', 'traceparent', '00-1'],
    ])
  })

  test('gets errors of the server under its own id', async () => {
    const { server, client } = openFace()
    const sink = client().send('resources/read', { uri: 'x:y' })
    ;(await server.next()).error({ code: -32002, message: 'no such thing', data: { uri: 'x:y' } })
    await sink.over()
    expect(sink.message).toMatchObject({ id: 100, error: { code: -32602, data: { uri: 'x:y' } } })
    expect(sink.status).toBe(200)
  })

  test('learns from the status that a method is not there', async () => {
    const { server, client } = openFace()
    const sink = client().send('completion/complete', { ref: {} })
    ;(await server.next()).error({ code: -32601, message: 'Method not found' })
    await sink.over()
    expect(sink.status).toBe(404)
  })

  test('has no tasks', async () => {
    const { client, server } = openFace()
    const sink = await client().send('tasks/get', { taskId: 't' }).over()
    expect(sink.error?.code).toBe('method_unknown')
    expect(server.upstream.got).toEqual([])
  })

  test('is told why no session could be opened, and that nothing was sent', async () => {
    const { server, client, trouble } = openFace()
    server.upstream.respond = () => ({ error: { code: -32602, message: 'unsupported' } })
    const sink = await client().call('t').over()
    expect(sink.error?.code).toBe('upstream_broken')
    expect(sink.wasSent).toBe(false)
    expect(trouble).toEqual(['gone'])
    server.upstream.respond = () => new GatewayError('upstream_unreachable')
    expect((await client().call('t').over()).error?.code).toBe('upstream_unreachable')
  })
})

describe('progress', () => {
  test('reaches the request that asked for it, under its own token', async () => {
    const { server, client } = openFace()
    const sinks = ['one', 'two'].map((token) => client().call('t', {}, { progressToken: token }))
    const asked = [await server.next(), await server.next()]
    for (const [i, one] of asked.entries()) {
      const { progressToken } = one.message.params._meta as { progressToken: number }
      // A server may tell of any request on any stream.
      asked[1 - i]?.say({
        method: 'notifications/progress',
        params: { progressToken, progress: i, big: 1 },
      })
    }
    for (const one of asked) one.result({})
    for (const [i, sink] of sinks.entries()) {
      await sink.over()
      expect(sink.events.map((data) => JSON.parse(data).params ?? 'the answer')).toEqual([
        { progressToken: i === 0 ? 'one' : 'two', progress: i, big: 1 },
        'the answer',
      ])
      expect(sink.faults).toEqual([])
    }
  })

  test('from elsewhere does not pile up for a client that does not read', async () => {
    const { server, client } = openFace()
    const sink = client({ roots: {} }).call('t', {}, { progressToken: 'p' })
    const asked = await server.next()
    const progress = (n: number) => ({
      method: 'notifications/progress',
      params: { progressToken: asked.id, progress: n },
    })
    sink.isFull = true
    for (let i = 0; i < 100; i++) server.shout(progress(i))
    expect(sink.events).toHaveLength(1)
    sink.drain()
    server.shout(progress(200))
    asked.result({})
    await sink.over()
    expect(sink.events.map((data) => JSON.parse(data).params?.progress)).toEqual([
      0,
      200,
      undefined,
    ])
  })

  test('that nobody asked for is dropped', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    asked.say({
      method: 'notifications/progress',
      params: { progressToken: asked.id, progress: 1 },
    })
    asked.result({})
    await resultOf(sink)
    expect(sink.kind).toBe('json')
  })
})

describe('log messages', () => {
  const log = (level: string) => ({
    method: 'notifications/message',
    params: { level, data: level },
  })
  const levels = ['debug', 'info', 'warning', 'emergency']

  test('reach a request from the level that it names', async () => {
    const { server, client } = openFace()
    const sink = client().call('t', {}, { [`${P}logLevel`]: 'warning' })
    const asked = await server.next()
    for (const level of levels) asked.say(log(level))
    asked.result({})
    await sink.over()
    const told = sink.events.map((data) => JSON.parse(data).params?.level)
    expect(told).toEqual(['warning', 'emergency', undefined])
    expect(server.requests('logging/setLevel')).toEqual([{ level: 'warning' }])
  })

  test('do not reach a request that names none', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    for (const level of levels) asked.say(log(level))
    asked.result({})
    await resultOf(sink)
    expect(sink.kind).toBe('json')
    expect(server.requests('logging/setLevel')).toEqual([])
  })

  test('are asked for as finely as any request wants them, and never less', async () => {
    const { server, client } = openFace()
    for (const level of ['error', 'info', 'warning', 'info', 'debug']) {
      const sink = client().call('t', {}, { [`${P}logLevel`]: level })
      ;(await server.next()).result({})
      await resultOf(sink)
    }
    expect(server.requests('logging/setLevel').map(({ level }) => level)).toEqual([
      'error',
      'info',
      'debug',
    ])
  })

  test('of the stream that belongs to no request go to the newest request that wants them', async () => {
    const { server, client } = openFace()
    const asking = { roots: {} }
    const quiet = client(asking).call('t')
    const loud = client(asking).call('t', {}, { [`${P}logLevel`]: 'info' })
    const asked = [await server.next(), await server.next()]
    server.shout(log('info'))
    for (const one of asked) one.result({})
    await Promise.all([quiet.over(), loud.over()])
    expect(quiet.kind).toBe('json')
    expect(loud.events).toHaveLength(2)
  })

  test('are not asked for where a server has none', async () => {
    const { server, client } = openFace()
    server.capabilities = {}
    const sink = client().call('t', {}, { [`${P}logLevel`]: 'info' })
    ;(await server.next()).result({})
    await resultOf(sink)
    expect(server.requests('logging/setLevel')).toEqual([])
  })
})

describe('a client that goes', () => {
  test('cancels its call at the server', async () => {
    const { server, client } = openFace()
    const one = client()
    const { sink, cancel } = one.exchange(one.text('tools/call', { name: 't' }))
    const asked = await server.next()
    cancel()
    await until(() => server.notes('notifications/cancelled').length === 1, 'the cancellation')
    expect(server.notes('notifications/cancelled')[0]?.requestId).toBe(asked.id)
    expect(server.upstream.cancelled).toBe(1)
    asked.result({})
    expect(sink.heads).toEqual([])
  })

  test('before its session is open is not served', async () => {
    const { server, client } = openFace()
    const one = client()
    one.exchange(one.text('tools/call', { name: 'never' })).cancel()
    const sink = one.call('next')
    const asked = await server.next()
    expect(asked.message.params.name).toBe('next')
    asked.result({})
    await resultOf(sink)
    expect(server.requests('tools/call')).toHaveLength(1)
  })
})

describe('a session that the server knows no more', () => {
  test('is opened anew, and the call that was not taken is made once more', async () => {
    const { server, client } = openFace()
    const first = client().call('t')
    ;(await server.next()).result({})
    await resultOf(first)
    server.sessions.clear()
    const second = client().call('t', { n: 2 })
    const asked = await server.next()
    expect(asked.request.session).toBe('session-2')
    expect(asked.message.params).toEqual({ name: 't', arguments: { n: 2 } })
    asked.result({ ok: true })
    expect(await resultOf(second)).toMatchObject({ ok: true })
  })

  test.each([
    ['Bad Request: No valid session ID provided', 400],
    ['Session not found', 404],
  ])('is known from the refusal "%s" with %d', async (message, status) => {
    const { server, client } = openFace()
    const sink = client().call('t')
    ;(await server.next()).error({ code: -32000, message }, status)
    const again = await server.next()
    expect(again.request.session).toBe('session-2')
    again.result({})
    await resultOf(sink)
  })

  test('is not opened a third time', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    for (let i = 0; i < 2; i++)
      (await server.next()).fail(new GatewayError('session_unknown'), false)
    await sink.over()
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(false)
    expect(server.initialized).toHaveLength(2)
  })

  test('that may have executed the call is not asked again', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    ;(await server.next()).fail(new GatewayError('upstream_lost'), true)
    await sink.over()
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(true)
    expect(server.requests('tools/call')).toHaveLength(1)
  })

  test('that has said something for the call is not asked again', async () => {
    const { server, client } = openFace()
    const sink = client().call('t', {}, { progressToken: 1 })
    const asked = await server.next()
    asked.say({
      method: 'notifications/progress',
      params: { progressToken: asked.id, progress: 1 },
    })
    asked.fail(new GatewayError('session_unknown'), false)
    await sink.over()
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(true)
    expect(server.requests('tools/call')).toHaveLength(1)
  })
})

describe('a server that hangs up in the middle of an answer', () => {
  test('is asked to go on where it was', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    asked.say({ method: 'notifications/vendor', params: {} }, { id: 'e-1', retry: '1' })
    asked.hangUp()
    await until(() => server.upstream.listeners.size === 1, 'the stream to be resumed')
    const [resumed] = server.upstream.listeners
    resumed?.event({ data: `{"jsonrpc":"2.0","id":${asked.id},"result":{"late":true}}` })
    expect(await resultOf(sink)).toMatchObject({ late: true })
  })

  test.each([
    ['knows the session no more', new GatewayError('session_unknown')],
    ['has no such stream', new GatewayError('verb_refused')],
    ['is gone', new GatewayError('upstream_unreachable')],
  ])('and then %s has lost the call, which is not made again', async (_, failure) => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    asked.prime({ id: 'e-1', retry: '1' })
    asked.hangUp()
    await until(() => server.upstream.listeners.size === 1, 'the stream to be resumed')
    for (const resumed of server.upstream.listeners) resumed.fail(failure, false)
    await sink.over()
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(true)
    expect(server.requests('tools/call')).toHaveLength(1)
    expect(server.initialized).toHaveLength(1)
  })

  test('without saying where it was has lost the call', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    asked.say({ method: 'notifications/vendor', params: {} })
    asked.hangUp()
    await sink.over()
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(true)
  })
})

test('messages that come in one piece, as in 2025-03-26, are taken one by one', async () => {
  const { server, client } = openFace()
  const sink = client().call('t', {}, { progressToken: 'p' })
  const asked = await server.next()
  const { id } = asked
  asked.whole([
    { method: 'notifications/progress', params: { progressToken: id, progress: 1 } },
    { id, result: { n: 1 } },
  ])
  expect(await resultOf(sink)).toMatchObject({ n: 1 })
  expect(sink.events.map((data) => JSON.parse(data).params?.progress)).toEqual([1, undefined])
})

describe('sessions', () => {
  test('that nobody uses are ended', async () => {
    const { server, client } = openFace({ idleMs: 20 })
    const sink = client().call('t')
    ;(await server.next()).result({})
    await resultOf(sink)
    await until(() => server.upstream.ended.length === 1, 'the session to be ended')
    expect(server.upstream.ended).toEqual(['session-1'])
  })

  test('are ended with the gateway', async () => {
    const { server, client, upstream } = openFace()
    const sink = client().call('t')
    ;(await server.next()).result({})
    await resultOf(sink)
    await upstream.close()
    expect(server.upstream.ended).toEqual(['session-1'])
  })

  test('of one grant are bounded: the one that was idle the longest makes room', async () => {
    const { server, client } = openFace({ maxSessionsOfGrant: 2 })
    for (const n of [1, 2, 3]) {
      const sink = client({ experimental: { n: { n } } }).call('t')
      ;(await server.next()).result({})
      await resultOf(sink)
    }
    expect(server.upstream.ended).toEqual(['session-1'])
  })

  test('that are all in use leave no room for another', async () => {
    const { server, client } = openFace({ maxSessionsOfGrant: 1 })
    client().call('t')
    await server.next()
    const sink = await client({ roots: {} }).call('t').over()
    expect(sink.error?.code).toBe('too_busy')
    expect(sink.wasSent).toBe(false)
    const other = client({ roots: {} }, 'grant-2').call('t')
    ;(await server.next()).result({})
    await resultOf(other)
  })
})
