import { describe, expect, test } from 'vitest'
import type { RecordingSink } from '../../../../test/fakes/recording-sink.ts'
import { closeFaces, openFace } from '../../../../test/fakes/stateless-face.ts'
import { until } from '../../../../test/fakes/until.ts'
import { GatewayError } from '../../../core/errors.ts'

closeFaces()

const SUB = 'io.modelcontextprotocol/subscriptionId'
const told = (sink: RecordingSink) => sink.events.map((data) => JSON.parse(data))
const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

/** A client that listens, once it is acknowledged. */
async function listening(notifications: object, face = openFace()) {
  const one = face.client()
  const { sink, cancel } = one.exchange(
    one.text('subscriptions/listen', { notifications: notifications as never }),
  )
  await until(() => sink.events.length > 0 || sink.isOver, 'the acknowledgement')
  return { ...face, one, sink, cancel }
}

describe('a subscription', () => {
  test('is acknowledged first, with what the server can tell of', async () => {
    const { sink } = await listening({ ...ALL, resourceSubscriptions: ['a:1', 'a:2'] })
    expect(told(sink)).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: {
          notifications: {
            toolsListChanged: true,
            resourcesListChanged: true,
            resourceSubscriptions: ['a:1', 'a:2'],
          },
          _meta: { [SUB]: 100 },
        },
      },
    ])
    expect(sink.isOver).toBe(false)
  })

  test('leaves out resources that the server does not tell of', async () => {
    const face = openFace()
    const { respond } = face.server.upstream
    face.server.upstream.respond = (request, sink) => {
      const { frame } = request
      const isRefused = frame.kind === 'request' && frame.method === 'resources/subscribe'
      return isRefused && frame.params.uri === 'a:1'
        ? { error: { code: -32602, message: 'no' } }
        : respond(request, sink)
    }
    const { sink } = await listening({ resourceSubscriptions: ['a:1', 'a:2'] }, face)
    expect(told(sink)[0].params.notifications).toEqual({ resourceSubscriptions: ['a:2'] })
  })

  test('of a resource that another wants at the same time has the same answer', async () => {
    const face = openFace()
    const { respond } = face.server.upstream
    face.server.upstream.respond = (request, sink) => {
      const { frame } = request
      return frame.kind === 'request' && frame.method === 'resources/subscribe'
        ? { error: { code: -32602, message: 'no' } }
        : respond(request, sink)
    }
    const both = await Promise.all(
      [1, 2].map(() => listening({ resourceSubscriptions: ['a:1'] }, face)),
    )
    for (const { sink } of both)
      expect(told(sink)[0].params.notifications).toEqual({ resourceSubscriptions: [] })
    expect(face.server.requests('resources/subscribe')).toHaveLength(1)
  })

  test('promises nothing where a server has no stream for it', async () => {
    const face = openFace()
    face.server.upstream.listen = (_, sink) => {
      queueMicrotask(() => sink.fail(new GatewayError('verb_refused'), false))
      return { cancel() {} }
    }
    const { sink } = await listening({ ...ALL, resourceSubscriptions: ['a:1'] }, face)
    expect(told(sink)[0].params.notifications).toEqual({})
  })

  test('brings what it was acknowledged for, and nothing else', async () => {
    const { server, sink } = await listening({
      toolsListChanged: true,
      resourceSubscriptions: ['a:1'],
    })
    server.shout({ method: 'notifications/tools/list_changed' })
    server.shout({ method: 'notifications/prompts/list_changed' })
    server.shout({ method: 'notifications/resources/list_changed' })
    server.shout({ method: 'notifications/resources/updated', params: { uri: 'a:1' } })
    server.shout({ method: 'notifications/resources/updated', params: { uri: 'a:1/part' } })
    server.shout({ method: 'notifications/resources/updated', params: { uri: 'a:11' } })
    expect(
      told(sink)
        .slice(1)
        .map(({ method, params }) => [method, params]),
    ).toEqual([
      ['notifications/tools/list_changed', { _meta: { [SUB]: 100 } }],
      ['notifications/resources/updated', { uri: 'a:1', _meta: { [SUB]: 100 } }],
      ['notifications/resources/updated', { uri: 'a:1/part', _meta: { [SUB]: 100 } }],
    ])
  })

  test('brings what a server tells on the stream of a call', async () => {
    const { server, one, sink } = await listening({ toolsListChanged: true })
    const call = one.call('t')
    const asked = await server.next()
    asked.say({ method: 'notifications/tools/list_changed' })
    asked.result({})
    await call.over()
    expect(call.kind).toBe('json')
    expect(told(sink).map(({ method }) => method)).toContain('notifications/tools/list_changed')
  })

  test('of many clients is one at the server, until the last of them goes', async () => {
    const face = openFace()
    const clients = []
    for (let i = 0; i < 3; i++)
      clients.push(await listening({ resourceSubscriptions: ['a:1'] }, face))
    expect(face.server.requests('resources/subscribe')).toEqual([{ uri: 'a:1' }])
    expect(face.server.upstream.listeners.size).toBe(1)
    face.server.shout({ method: 'notifications/resources/updated', params: { uri: 'a:1' } })
    for (const { sink } of clients) expect(sink.events).toHaveLength(2)
    for (const [i, { cancel }] of clients.entries()) {
      expect(face.server.requests('resources/unsubscribe')).toEqual([])
      cancel()
      if (i < 2) expect(face.server.requests('resources/unsubscribe')).toEqual([])
    }
    await until(
      () => face.server.requests('resources/unsubscribe').length === 1,
      'the end of the subscription',
    )
  })

  test('ends with an answer when the session is gone', async () => {
    const { server, sink } = await listening({ toolsListChanged: true })
    for (const listener of server.upstream.listeners)
      listener.fail(new GatewayError('session_unknown'), false)
    await sink.over()
    expect(told(sink).at(-1)).toEqual({
      jsonrpc: '2.0',
      id: 100,
      result: { resultType: 'complete', _meta: { [SUB]: 100 } },
    })
  })

  test('goes on when the server ends its stream and opens it again', async () => {
    const { server, sink } = await listening({ toolsListChanged: true })
    const [old] = server.upstream.listeners
    old?.event({ data: '', id: 'e-7', retry: '1' })
    server.upstream.listeners.clear()
    old?.end()
    await until(() => server.upstream.listeners.size === 1, 'the stream')
    server.shout({ method: 'notifications/tools/list_changed' })
    expect(told(sink).map(({ method }) => method)).toContain('notifications/tools/list_changed')
  })

  test('of a client that does not read keeps each change once', async () => {
    const { server, sink } = await listening({
      toolsListChanged: true,
      resourceSubscriptions: ['a:1', 'a:2'],
    })
    sink.isFull = true
    for (let i = 0; i < 50; i++) {
      server.shout({ method: 'notifications/tools/list_changed' })
      for (const uri of ['a:1', 'a:2'])
        server.shout({ method: 'notifications/resources/updated', params: { uri } })
    }
    expect(sink.events).toHaveLength(2)
    sink.drain()
    expect(
      told(sink)
        .slice(2)
        .map(({ method, params }) => params.uri ?? method),
    ).toEqual(['a:1', 'a:2', 'notifications/tools/list_changed'])
  })

  test('of a client that never reads ends when too much waits for it', async () => {
    const { server, sink } = await listening({ resourceSubscriptions: ['a:1'] })
    sink.isFull = true
    for (let i = 0; i < 1_100; i++)
      server.shout({ method: 'notifications/resources/updated', params: { uri: `a:1/${i}` } })
    expect(sink.isOver).toBe(true)
    expect(sink.events.length).toBeLessThan(5)
  })

  test('must say what it is for', async () => {
    const sink = await openFace().client().send('subscriptions/listen').over()
    expect(sink.error?.code).toBe('params_invalid')
  })
})
