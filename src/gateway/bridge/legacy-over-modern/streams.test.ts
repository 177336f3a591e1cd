import { describe, expect, test, vi } from 'vitest'
import type { Conversation } from '../../../../test/fakes/conversation.ts'
import { requestText } from '../../../../test/fakes/frames.ts'
import {
  bridgedServer,
  DISCOVERED,
  listenAfter,
  metaOf,
  paramsOf,
  stream,
} from '../../../../test/fakes/modern-server.ts'
import { KeepingSink, RecordingSink } from '../../../../test/fakes/recording-sink.ts'
import { until } from '../../../../test/fakes/until.ts'
import type { JsonObject } from '../../../core/json/json.ts'
import type { ReplySink } from '../../upstream/upstream.ts'

const ID = 'io.modelcontextprotocol/subscriptionId'

interface Subscribed {
  readonly wanted: JsonObject
  readonly sink: ReplySink
  readonly say: (method: string, params?: JsonObject) => void
}

/** A server whose subscriptions are at hand. */
function telling(options: { agrees?: (uri: string) => boolean; capabilities?: JsonObject } = {}) {
  const subscribed: Subscribed[] = []
  const bridged = bridgedServer((request, sink) => {
    const { frame } = request
    if (frame.kind !== 'request') return undefined
    if (frame.method === 'server/discover' && options.capabilities !== undefined)
      return { result: { ...DISCOVERED, capabilities: options.capabilities } }
    if (frame.method !== 'subscriptions/listen') return undefined
    const send = stream(sink)
    const wanted = paramsOf(request).notifications as JsonObject
    const say = (method: string, params: JsonObject = {}): void =>
      void send({ method, params: { ...params, _meta: { [ID]: frame.id, kept: 1.5 } } })
    subscribed.push({ wanted, sink, say })
    const uris = (wanted.resourceSubscriptions ?? []) as string[]
    say('notifications/subscriptions/acknowledged', {
      notifications: {
        ...wanted,
        resourceSubscriptions: uris.filter(options.agrees ?? (() => true)),
      },
    })
    return undefined
  })
  return { ...bridged, subscribed }
}

const watch = (client: Conversation, uri: string, method = 'resources/subscribe') =>
  client.send(requestText(`${method} ${uri}`, method, { uri })).over()
/** The same where time stands still. */
async function watchFrozen(client: Conversation, uri: string): Promise<void> {
  const sink = client.send(requestText(uri, 'resources/subscribe', { uri }))
  await vi.advanceTimersByTimeAsync(0)
  expect(sink.message.result).toEqual({})
}
const methodsOf = (sink: RecordingSink) =>
  sink.events.filter((data) => data !== '').map((data) => JSON.parse(data).method)

describe('the stream of a session', () => {
  test('is one subscription to every list that the server says it tells of', async () => {
    const { client, subscribed } = telling()
    const { sink } = (await client()).listen()
    await until(() => subscribed.length === 1, 'the subscription')
    expect(subscribed[0]?.wanted).toEqual({ toolsListChanged: true })
    subscribed[0]?.say('notifications/tools/list_changed')
    await until(() => sink.events.length > 0, 'the notification')
    expect(JSON.parse(sink.events[0] ?? '{}')).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { kept: 1.5 } },
    })
  })

  test('stays open over a server that tells of nothing', async () => {
    const { client, subscribed } = telling({ capabilities: {} })
    const { sink } = (await client()).listen()
    await until(() => sink.heads.length > 0, 'the head')
    expect(sink.kind).toBe('events')
    expect(subscribed).toEqual([])
    expect(sink.isOver).toBe(false)
  })

  test('belongs to the connection that came last', async () => {
    const { client, subscribed } = telling()
    const opened = await client()
    const first = opened.listen()
    await until(() => subscribed.length === 1, 'the subscription')
    const second = opened.listen()
    await first.sink.over()
    first.cancel()
    subscribed[0]?.say('notifications/tools/list_changed')
    await until(() => second.sink.events.length === 1, 'the notification')
    expect(subscribed).toHaveLength(1)
  })

  test('ends at the server when its client goes', async () => {
    const { client, server, subscribed } = telling()
    const listening = (await client()).listen()
    await until(() => subscribed.length === 1, 'the subscription')
    listening.cancel()
    await until(() => server.cancelled === 1, 'the cancellation')
  })

  test('ends with the session', async () => {
    const { client, server, bridge, subscribed } = telling()
    const opened = await client()
    const { sink } = opened.listen()
    await until(() => subscribed.length === 1, 'the subscription')
    await bridge.endSession(opened.around())
    await sink.over()
    expect(server.cancelled).toBe(1)
  })

  test('is renewed when the server ends it, and what may have changed meanwhile is told', async () => {
    const { client, subscribed } = telling()
    const { sink } = (await client()).listen()
    await until(() => subscribed.length === 1, 'the subscription')
    subscribed[0]?.sink.end()
    await until(() => subscribed.length === 2, 'another subscription')
    await until(() => sink.events.length === 1, 'the notification')
    expect(methodsOf(sink)).toEqual(['notifications/tools/list_changed'])
  })

  test('bears the stamp of its session', async () => {
    const { client, server, subscribed } = telling()
    ;(await client({ capabilities: { roots: {} } })).listen()
    await until(() => subscribed.length === 1, 'the subscription')
    expect(metaOf(server.got.at(-1) as never)).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': { roots: {} },
    })
  })

  test('of a session that is unknown is refused', async () => {
    const { client } = telling()
    const opened = await client()
    opened.session = 'lm1.unknown'
    expect((await opened.listen().sink.over()).error?.code).toBe('session_unknown')
  })
})

describe('a watched resource', () => {
  test('is told of on the stream of the session, even when that opens later', async () => {
    const { client, subscribed } = telling()
    const opened = await client()
    expect((await watch(opened, 'a://1')).message.result).toEqual({})
    expect(subscribed[0]?.wanted).toEqual({ resourceSubscriptions: ['a://1'] })
    subscribed[0]?.say('notifications/resources/updated', { uri: 'a://1' })
    const { sink } = opened.listen()
    await until(() => sink.events.length === 1, 'the notification')
    expect(JSON.parse(sink.events[0] ?? '{}').params.uri).toBe('a://1')
  })

  test('joins the one subscription, which begins before the old one ends', async () => {
    const { client, server, subscribed } = telling()
    const opened = await client()
    opened.listen()
    await until(() => subscribed.length === 1, 'the subscription')
    await watch(opened, 'a://1')
    await watch(opened, 'a://2')
    expect(subscribed.map(({ wanted }) => wanted.resourceSubscriptions)).toEqual([
      undefined,
      ['a://1'],
      ['a://1', 'a://2'],
    ])
    await until(() => server.cancelled === 2, 'the old ones to end')
    await watch(opened, 'a://1', 'resources/unsubscribe')
    expect(subscribed.at(-1)?.wanted).toEqual({
      toolsListChanged: true,
      resourceSubscriptions: ['a://2'],
    })
  })

  test('is refused when the server does not agree, and the others stay', async () => {
    const { client, subscribed } = telling({ agrees: (uri) => uri !== 'a://no' })
    const opened = await client()
    await watch(opened, 'a://1')
    expect((await watch(opened, 'a://no')).error?.code).toBe('params_invalid')
    await watch(opened, 'a://2')
    expect(subscribed.at(-1)?.wanted.resourceSubscriptions).toEqual(['a://1', 'a://2'])
  })

  test('is refused when the server refuses the subscription', async () => {
    const bridged = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'subscriptions/listen'
        ? { error: { code: -32601, message: 'no' } }
        : undefined,
    )
    const opened = await bridged.client()
    expect((await watch(opened, 'a://1')).error?.code).toBe('upstream_broken')
  })

  test('is asked for beside others at the same time, in one subscription', async () => {
    const { client, subscribed } = telling()
    const opened = await client()
    const sinks = await Promise.all(['a://1', 'a://2', 'a://3'].map((uri) => watch(opened, uri)))
    expect(sinks.map((sink) => sink.message.result)).toEqual([{}, {}, {}])
    expect(subscribed.at(-1)?.wanted.resourceSubscriptions).toEqual(['a://1', 'a://2', 'a://3'])
  })

  test('of a session that ended meanwhile is not watched', async () => {
    const { client, server, bridge, clock } = telling()
    const opened = await client()
    clock.at += 600_000
    const watched = opened.send(requestText(1, 'resources/subscribe', { uri: 'a://1' }))
    await bridge.endSession(opened.around())
    expect((await watched.over()).error?.code).toBe('session_unknown')
    expect(server.methods()).not.toContain('subscriptions/listen')
  })

  test('that nobody reads of is not listened to for ever, but again for a reader', async () => {
    const { client, server, subscribed } = telling()
    const opened = await client()
    vi.useFakeTimers()
    try {
      await watchFrozen(opened, 'a://1')
      await vi.advanceTimersByTimeAsync(300_000)
      expect(server.cancelled).toBe(1)
      const { sink } = opened.listen()
      await vi.advanceTimersByTimeAsync(0)
      expect(subscribed.at(-1)?.wanted.resourceSubscriptions).toEqual(['a://1'])
      expect(methodsOf(sink)).toContain('notifications/resources/updated')
    } finally {
      vi.useRealTimers()
    }
  })

  test('nobody reads of is told of a bounded number of times, and each text once', async () => {
    const { client, subscribed } = telling()
    const opened = await client()
    await watch(opened, 'a://1')
    for (let n = 0; n < 500; n++) {
      subscribed[0]?.say('notifications/resources/updated', { uri: 'a://1' })
      subscribed[0]?.say('notifications/resources/updated', { uri: 'a://1', n })
    }
    const { sink } = opened.listen()
    await until(() => sink.events.length > 0, 'the notifications')
    expect(sink.events.length).toBeLessThanOrEqual(100)
    expect(JSON.parse(sink.events.at(-1) ?? '{}').params.n).toBe(499)
  })
})

describe('a call that takes its time', () => {
  /** A server whose calls are answered by hand. */
  function slow() {
    const open: { say: ReturnType<typeof stream>; sink: ReplySink; id: unknown }[] = []
    const bridged = bridgedServer(
      ({ frame }, sink) => {
        if (frame.kind === 'request' && frame.method === 'tools/call')
          open.push({ say: stream(sink), sink, id: frame.id })
        return undefined
      },
      { primeAfterMs: 1 },
    )
    const finish = (): void => {
      const { say, sink, id } = open[0] as (typeof open)[0]
      say({ id, result: { resultType: 'complete', content: [{ type: 'text', text: 'late' }] } })
      sink.end()
    }
    return { ...bridged, open, finish }
  }

  const begin = async (params: JsonObject = {}) => {
    const server = slow()
    const client = await server.client(params)
    const sink = new KeepingSink()
    const call = client.exchange(client.textAs(1, 't'), sink)
    await until(() => server.open.length === 1, 'the call')
    return { ...server, connection: client, sink, call }
  }

  test('begins its stream with a place from which the client can read on', async () => {
    const { sink, finish } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    expect(sink.all[0]).toEqual({ data: '', id: expect.any(String), retry: '1000' })
    finish()
    await sink.over()
    expect(sink.said).toBe('late')
    expect(sink.all[1]?.id).not.toBe(sink.all[0]?.id)
  })

  test('goes on for a client that lost its stream, which gets the answer when it comes back', async () => {
    const { sink, call, connection, finish, server } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    call.cancel()
    expect(server.cancelled).toBe(0)
    finish()
    const resumed = await listenAfter(connection, sink.all[0]?.id).over()
    expect(resumed.said).toBe('late')
    expect(resumed.message.id).toBe(1)
    expect(sink.isOver).toBe(false)
  })

  test('is read on while it still runs', async () => {
    const { sink, call, connection, finish, open } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    call.cancel()
    open[0]?.say({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })
    const resumed = listenAfter(connection, sink.all[0]?.id)
    await until(() => resumed.events.length === 1, 'what was missed')
    open[0]?.say({ method: 'notifications/progress', params: { progressToken: 1, progress: 2 } })
    finish()
    await resumed.over()
    expect(resumed.events.map((data) => JSON.parse(data).params?.progress)).toEqual([
      1,
      2,
      undefined,
    ])
  })

  test('is told on one stream only', async () => {
    const { sink, connection, finish } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    const resumed = listenAfter(connection, sink.all[0]?.id)
    await sink.over()
    finish()
    expect((await resumed.over()).said).toBe('late')
    expect(sink.events).toEqual([''])
  })

  test('can not be read by another session', async () => {
    const { sink, client, finish } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    const other = await client()
    const stranger = listenAfter(other, sink.all[0]?.id)
    finish()
    await sink.over()
    await until(() => stranger.heads.length === 1, 'the stream of its own')
    expect(stranger.events).toEqual([])
    expect(stranger.isOver).toBe(false)
  })

  test('is told of without such a place to a revision that knows none', async () => {
    const { sink, open, finish } = await begin({ protocolVersion: '2025-06-18' })
    open[0]?.say({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })
    finish()
    await sink.over()
    expect(sink.all.map(({ data }) => data === '')).toEqual([false, false])
    expect(sink.all.every(({ id }) => id !== undefined)).toBe(true)
  })

  test('does not wait for a reader that has gone', async () => {
    const { sink, call, open, connection } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    const note = { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }
    let resumed = 0
    const count = (): void => {
      resumed++
    }
    sink.isFull = true
    expect(open[0]?.say(note)).toBe(false)
    open[0]?.sink.onDrain(count)
    call.cancel()
    expect(resumed).toBe(1)
    const second = new RecordingSink()
    second.isFull = true
    const headers = ['last-event-id', sink.all[0]?.id ?? '']
    const reading = connection.upstream.listen({ ...connection.around(), headers }, second)
    await until(() => second.events.length === 1, 'what was missed')
    expect(open[0]?.say(note)).toBe(false)
    open[0]?.sink.onDrain(count)
    reading.cancel()
    expect(resumed).toBe(2)
    expect(open[0]?.say(note)).toBe(true)
  })

  test('asks the client to slow the server down, as it does itself', async () => {
    const { sink, open } = await begin()
    await until(() => sink.all.length === 1, 'the first event')
    sink.isFull = true
    const note = { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }
    expect(open[0]?.say(note)).toBe(false)
    let hasResumed = false
    open[0]?.sink.onDrain(() => {
      hasResumed = true
    })
    sink.drain()
    expect(hasResumed).toBe(true)
  })
})
