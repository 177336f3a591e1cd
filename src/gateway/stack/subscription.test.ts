import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { answeringUpstream } from '../../../test/fakes/answering-upstream.ts'
import { openStack, stackGrant } from '../../../test/fakes/stack.ts'
import { hang, noSuchMethod, paramsOf } from '../../../test/fakes/stack-members.ts'
import { until } from '../../../test/fakes/until.ts'
import { GatewayError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json/json.ts'
import type { ReplySink, UpstreamRequest } from '../upstream/upstream.ts'

describe('a subscription', () => {
  const ACK = 'notifications/subscriptions/acknowledged'
  const CHANGED = 'notifications/tools/list_changed'
  /** A server whose subscriptions are held open, so that a test can speak through them. */
  const talking = (agrees: (wishes: JsonObject) => JsonObject = (wishes) => wishes) => {
    const open: ReplySink[] = []
    const upstream = answeringUpstream((request, sink) => {
      if (request.frame.kind === 'request' && request.frame.method === 'tools/list')
        return { result: { tools: [{ name: 'n' }] } }
      const { notifications } = paramsOf(request) as { notifications: JsonObject }
      sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
      sink.event({
        data: JSON.stringify({
          jsonrpc: '2.0',
          method: ACK,
          params: { notifications: agrees(notifications) },
        }),
      })
      open.push(sink)
      return undefined
    })
    const say = (method: string, params: JsonObject = {}) =>
      open.at(-1)?.event({ data: JSON.stringify({ jsonrpc: '2.0', method, params }) })
    return { upstream, open, say }
  }
  const methodsOf = (sink: { events: readonly string[] }) =>
    sink.events.map((data) => (JSON.parse(data) as { method: string }).method)

  test('is opened only where it concerns somebody, with that server’s own names', async () => {
    const [a, b] = [talking(), talking()]
    const { send } = openStack({ a: a.upstream, b: b.upstream })
    const sink = send('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['b+x://1', 'b+x://2', 'c+x://3', 'x://4'] },
    })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    expect(JSON.parse(sink.events[0] ?? '')).toMatchObject({
      method: ACK,
      params: {
        _meta: { 'io.modelcontextprotocol/subscriptionId': 1 },
        notifications: { resourceSubscriptions: ['b+x://1', 'b+x://2'] },
      },
    })
    expect(a.upstream.got).toEqual([])
    expect(paramsOf(b.upstream.got[0] as UpstreamRequest).notifications).toEqual({
      resourceSubscriptions: ['x://1', 'x://2'],
    })
    b.say('notifications/resources/updated', { uri: 'x://2' })
    expect(JSON.parse(sink.events[1] ?? '')).toMatchObject({ params: { uri: 'b+x://2' } })
  })

  test('is acknowledged with what members agree to, together', async () => {
    const a = talking(() => ({}))
    const b = talking(() => ({ promptsListChanged: true }))
    const { send } = openStack({ a: a.upstream, b: b.upstream })
    const sink = send('subscriptions/listen', {
      notifications: {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
      },
    })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    expect(JSON.parse(sink.events[0] ?? '')).toMatchObject({
      params: { notifications: { toolsListChanged: true, promptsListChanged: true } },
    })
  })

  test('of a grant that sees no member is acknowledged at once, and asks nobody', async () => {
    const a = talking()
    const { send } = openStack({ a: a.upstream })
    const wishes = { notifications: { toolsListChanged: true } }
    const sink = send('subscriptions/listen', wishes, { ...stackGrant(), policy: undefined })
    expect(methodsOf(sink)).toEqual([ACK])
    expect(a.upstream.got).toEqual([])
  })

  test('passes nothing on before its acknowledgement', async () => {
    const a = talking()
    let release = (): void => {}
    const b = answeringUpstream((_, sink) => {
      release = () => sink.fail(new GatewayError('upstream_lost'), true)
      return undefined
    })
    const { send } = openStack({ a: a.upstream, b })
    const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    await until(() => a.open.length === 1, 'the stream of a')
    a.say(CHANGED)
    expect(sink.events).toEqual([])
    release()
    await until(() => sink.events.length === 2, 'both')
    expect(methodsOf(sink)).toEqual([ACK, CHANGED])
  })

  test('ends at every member when its client goes', async () => {
    const [a, b] = [talking(), talking()]
    const { send } = openStack({ a: a.upstream, b: b.upstream })
    const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    sink.cancel()
    expect([a.upstream.cancelled, b.upstream.cancelled]).toEqual([1, 1])
  })

  test('follows the members of its stack, and tells that lists have changed', async () => {
    const [a, b] = [talking(), talking()]
    const { send, put } = openStack({ a: a.upstream, b: b.upstream })
    put({ servers: ['a'] })
    const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    expect(b.upstream.got).toEqual([])
    put({ servers: ['b'] })
    await until(() => b.open.length === 1, 'the stream of b')
    expect(a.upstream.cancelled).toBe(1)
    expect(methodsOf(sink)).toContain(CHANGED)
    a.say(CHANGED)
    const before = sink.events.length
    b.say(CHANGED)
    expect(sink.events).toHaveLength(before + 1)
  })

  test('hears nothing of an edit that changes nothing for it', async () => {
    const a = talking()
    const { send, put } = openStack({ a: a.upstream })
    const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    put({})
    expect(methodsOf(sink)).toEqual([ACK])
    const edited = (version: string, ...denied: readonly string[]) => {
      const { policy, ...grant } = stackGrant(...denied)
      put({ grant: { ...grant, policy: policy && { ...policy, version } } })
    }
    edited('2', 'not listed')
    edited('3', 'n')
    await until(() => sink.events.length === 2, 'the news')
    edited('4', 'n')
    edited('5')
    await until(() => sink.events.length === 3, 'more news')
    expect(methodsOf(sink)).toEqual([ACK, CHANGED, CHANGED])
  })

  test('ends when its grant does', async () => {
    const a = talking()
    const { send, put } = openStack({ a: a.upstream })
    const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    await until(() => sink.events.length === 1, 'the acknowledgement')
    put({ grant: undefined })
    await until(() => a.upstream.cancelled === 1, 'the end at the server')
    expect(sink.isOver).toBe(true)
    expect(JSON.parse(sink.events.at(-1) ?? '')).toMatchObject({
      id: 1,
      result: { _meta: { 'io.modelcontextprotocol/subscriptionId': 1 } },
    })
  })

  describe('that breaks at one member', () => {
    beforeEach(() => vi.useFakeTimers())
    afterEach(() => vi.useRealTimers())

    test('is opened there again, and the client is told that lists may have changed', async () => {
      const [a, b] = [talking(), talking()]
      const { send } = openStack({ a: a.upstream, b: b.upstream })
      const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
      await vi.advanceTimersByTimeAsync(1)
      expect(methodsOf(sink)).toEqual([ACK])
      a.open[0]?.fail(new GatewayError('upstream_lost'), true)
      b.say(CHANGED)
      expect(methodsOf(sink)).toEqual([ACK, CHANGED])
      await vi.advanceTimersByTimeAsync(1_000)
      expect(a.open).toHaveLength(2)
      expect(methodsOf(sink)).toEqual([ACK, CHANGED, CHANGED])
      sink.cancel()
      await vi.advanceTimersByTimeAsync(60_000)
      expect(a.open).toHaveLength(2)
    })

    test('waits for a member that is not configured', async () => {
      const [a, b] = [talking(), talking()]
      const { send, put } = openStack({ a: a.upstream, b: b.upstream })
      put({ configured: ['a'] })
      const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
      await vi.advanceTimersByTimeAsync(1)
      expect([methodsOf(sink), b.open.length]).toEqual([[ACK], 0])
      put({ configured: ['a', 'b'] })
      await vi.advanceTimersByTimeAsync(1_000)
      expect(b.open).toHaveLength(1)
      expect(methodsOf(sink)).toEqual([ACK, CHANGED])
    })

    test('is acknowledged without a member that does not answer', async () => {
      const a = talking()
      const { send } = openStack({ a: a.upstream, b: answeringUpstream((_, sink) => hang(sink)) })
      const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
      await vi.advanceTimersByTimeAsync(4_900)
      expect(sink.events).toEqual([])
      await vi.advanceTimersByTimeAsync(200)
      expect(methodsOf(sink)).toEqual([ACK])
    })

    test('is not opened again at a member that knows none', async () => {
      const a = noSuchMethod()
      const { send } = openStack({ a })
      const sink = send('subscriptions/listen', { notifications: { toolsListChanged: true } })
      await vi.advanceTimersByTimeAsync(60_000)
      expect([a.got.length, methodsOf(sink)]).toEqual([1, [ACK]])
    })
  })
})
