import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type AnsweringUpstream,
  answeringUpstream,
} from '../../../test/fakes/answering-upstream.ts'
import { openStack, stackGrant } from '../../../test/fakes/stack.ts'
import { until } from '../../../test/fakes/until.ts'
import { GatewayError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json/json.ts'
import { MISSING_META } from '../../core/stack/lists.ts'
import type { ReplySink, UpstreamRequest } from '../upstream/upstream.ts'

const paramsOf = ({ frame }: UpstreamRequest): JsonObject =>
  frame.kind === 'response' ? {} : frame.params

/** A server with pages of tools; cursors are the numbers of pages. */
const paged = (...pages: readonly (readonly string[])[]): AnsweringUpstream =>
  answeringUpstream((request) => {
    const page = Number(paramsOf(request).cursor ?? 0)
    const tools = (pages[page] ?? []).map((name) => ({ name, inputSchema: { type: 'object' } }))
    const more = page + 1 < pages.length ? { nextCursor: String(page + 1) } : {}
    return {
      result: { resultType: 'complete', tools, ttlMs: 5_000, cacheScope: 'public', ...more },
    }
  })
const failing = (code: 'upstream_unreachable' | 'upstream_lost' = 'upstream_unreachable') =>
  answeringUpstream(() => new GatewayError(code))
const silent = () => answeringUpstream((_, __) => undefined)
const noSuchMethod = () => answeringUpstream(() => ({ error: { code: -32601, message: 'no' } }))

interface ListResult {
  readonly tools: readonly { readonly name: string }[]
  readonly nextCursor?: string
  readonly ttlMs: number
  readonly cacheScope: string
  readonly _meta?: JsonObject
}
const listIn = (text: string): ListResult => (JSON.parse(text) as { result: ListResult }).result
const namesIn = (text: string): readonly string[] => listIn(text).tools.map(({ name }) => name)

describe('the list of a stack', () => {
  test('is paged by all members at once, to the last page of the longest', async () => {
    const { send } = openStack({
      a: paged(['1'], ['2'], ['3']),
      b: paged(['x']),
      c: paged(['y'], ['z']),
    })
    const first = listIn((await send('tools/list').over()).text)
    expect(first.tools.map(({ name }) => name)).toEqual(['a__1', 'b__x', 'c__y'])
    const second = listIn(
      (await send('tools/list', { cursor: first.nextCursor ?? '' }).over()).text,
    )
    expect(second.tools.map(({ name }) => name)).toEqual(['a__2', 'c__z'])
    const third = listIn(
      (await send('tools/list', { cursor: second.nextCursor ?? '' }).over()).text,
    )
    expect([third.tools.map(({ name }) => name), third.nextCursor]).toEqual([['a__3'], undefined])
  })

  test('has cursors that are good for one grant, one stack and one list', async () => {
    const { send } = openStack({ a: paged(['1'], ['2']) })
    const cursor = listIn((await send('tools/list').over()).text).nextCursor ?? ''
    const refused = async (method: string, given: string, grant = stackGrant()) =>
      (await send(method, { cursor: given }, grant).over()).error?.code
    expect(await refused('tools/list', cursor, { ...stackGrant(), id: 'another' })).toBe(
      'cursor_unknown',
    )
    expect(await refused('prompts/list', cursor)).toBe('cursor_unknown')
    expect(await refused('tools/list', `${cursor}x`)).toBe('cursor_unknown')
    expect(await refused('tools/list', '1')).toBe('cursor_unknown')
    expect(await refused('tools/list', '')).toBe('cursor_unknown')
    expect(await refused('tools/list', cursor)).toBeUndefined()
  })

  test('is private and kept no longer than its shortest-lived part', async () => {
    const { send } = openStack({ a: paged(['1']), b: paged(['2']) })
    const list = listIn((await send('tools/list').over()).text)
    expect(list.cacheScope).toBe('private')
    expect(list.ttlMs).toBeLessThanOrEqual(5_000)
  })

  test('lacks what the policy of its server hides', async () => {
    const { send } = openStack({ a: paged(['open', 'shut']), b: paged(['shut']) })
    const { text } = await send('tools/list', {}, stackGrant('shut')).over()
    expect(namesIn(text)).toEqual(['a__open'])
  })

  test('names a member that fails, and is not to be kept', async () => {
    const { send, logged } = openStack({ a: failing(), b: paged(['x']) })
    for (let i = 0; i < 3; i++) {
      const list = listIn((await send('tools/list').over()).text)
      expect(list.tools.map(({ name }) => name)).toEqual(['b__x'])
      expect(list._meta).toEqual({ [MISSING_META]: ['a'] })
      expect(list.ttlMs).toBe(0)
    }
    expect(logged.filter(({ event }) => event.startsWith('stack.'))).toEqual([
      { event: 'stack.degraded', upstream: 'a', code: 'upstream_unreachable' },
    ])
  })

  test('tells once that a member is back', async () => {
    const a = failing()
    const { send, logged } = openStack({ a, b: paged(['x']) })
    await send('tools/list').over()
    a.respond = paged(['1']).respond
    for (let i = 0; i < 2; i++)
      expect(namesIn((await send('tools/list').over()).text)).toEqual(['a__1', 'b__x'])
    expect(logged.filter(({ event }) => event === 'stack.recovered')).toHaveLength(1)
  })

  test('is an error when no member gives one', async () => {
    const { send } = openStack({ a: failing(), b: failing('upstream_lost') })
    expect((await send('tools/list').over()).error?.code).toBe('upstream_unreachable')
  })

  test('is empty where no member has such things', async () => {
    const { send } = openStack({ a: noSuchMethod(), b: noSuchMethod() })
    const { message } = await send('tools/list').over()
    expect(message.result).toMatchObject({ tools: [], cacheScope: 'private' })
    expect(message.result?._meta).toBeUndefined()
  })

  test('keeps every byte of a definition but its name', async () => {
    const odd =
      '{ "title" : "T\\u0065st", "name":"n", "big":12345678901234567890, "inputSchema":{} }'
    const a = answeringUpstream(({ frame }, sink) => {
      const id = frame.kind === 'request' ? JSON.stringify(frame.id) : ''
      sink.head({ status: 200, kind: 'json', length: undefined, session: undefined })
      sink.chunk(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[${odd}]}}`))
      sink.end()
      return undefined
    })
    const { text } = await openStack({ a }).send('tools/list').over()
    expect(text).toContain(odd.replace('"n"', '"a__n"'))
  })

  test('asks members that were cancelled no further', async () => {
    const a = silent()
    const sink = openStack({ a }).send('tools/list')
    await until(() => a.got.length === 1, 'the question')
    sink.cancel()
    expect(a.cancelled).toBe(1)
    expect(sink.isOver).toBe(false)
  })
})

describe('a member that never answers', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  test('holds a list up for ten seconds once, then for one', async () => {
    const { send } = openStack({ a: answeringUpstream((_, sink) => hang(sink)), b: paged(['x']) })
    const first = send('tools/list')
    await vi.advanceTimersByTimeAsync(9_900)
    expect(first.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(listIn(first.text)).toMatchObject({
      tools: [{ name: 'b__x' }],
      _meta: { [MISSING_META]: ['a'] },
    })
    const second = send('tools/list')
    await vi.advanceTimersByTimeAsync(900)
    expect(second.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(namesIn(second.text)).toEqual(['b__x'])
    // Later it is given the whole time again.
    await vi.advanceTimersByTimeAsync(60_000)
    const third = send('tools/list')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(third.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(5_100)
    expect(third.isOver).toBe(true)
  })
})

/** Begins an answer that never comes. */
function hang(sink: ReplySink): undefined {
  sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
}

describe('what a stack says of itself', () => {
  const saying = (capabilities: JsonObject, instructions?: string) =>
    answeringUpstream(() => ({
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities,
        ...(instructions === undefined ? {} : { instructions }),
        ttlMs: 1_000,
        cacheScope: 'public',
      },
    }))
  const discover = async (members: Record<string, AnsweringUpstream>) => {
    const { message } = await openStack(members).send('server/discover').over()
    return message.result as JsonObject & { capabilities: JsonObject }
  }

  test('is what one of its members can do, where it reaches one at a time', async () => {
    const tasks = { 'io.modelcontextprotocol/tasks': {} }
    const { capabilities } = await discover({
      a: saying({
        tools: {},
        logging: {},
        extensions: { ...tasks, 'x/all': { v: 1 }, 'x/one': {} },
      }),
      b: saying({ resources: { subscribe: true }, extensions: { 'x/all': { v: 1 } } }),
    })
    expect(capabilities).toEqual({
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      logging: {},
      extensions: { ...tasks, 'x/all': { v: 1 } },
    })
  })

  test('is not what only some can do with the same settings', async () => {
    const { capabilities } = await discover({
      a: saying({ extensions: { 'x/all': { v: 1 } }, experimental: { e: {} } }),
      b: saying({ extensions: { 'x/all': { v: 2 } } }),
    })
    expect(capabilities).toEqual({ tools: { listChanged: true } })
  })

  test('quotes what its members say, each under its name', async () => {
    const { instructions } = await discover({
      a: saying({}, 'Be kind.'),
      b: saying({}),
      c: failing(),
    })
    expect(instructions).toContain('# a\n\nBe kind.')
    expect(instructions).not.toContain('# b')
  })

  test('holds what a member said before it failed', async () => {
    const a = saying({ prompts: {} }, 'Be kind.')
    const { send } = openStack({ a, b: saying({}) })
    await send('server/discover').over()
    a.respond = failing().respond
    const { message } = await send('server/discover').over()
    expect(message.result).toMatchObject({
      ttlMs: 0,
      capabilities: { prompts: { listChanged: true } },
      _meta: { [MISSING_META]: ['a'] },
    })
  })

  test('is said without the members that are not there, and not to be kept', async () => {
    const said = await discover({ a: failing(), b: saying({ prompts: {} }) })
    expect(said).toMatchObject({
      ttlMs: 0,
      capabilities: { tools: {}, prompts: {} },
      _meta: { [MISSING_META]: ['a'] },
    })
  })
})

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

describe('what is about one thing', () => {
  const echoing = () =>
    answeringUpstream((request) => ({
      result: { resultType: 'complete', content: [], got: JSON.parse(request.frame.text) },
    }))

  test('reaches its server as the client wrote it, without the server’s name', async () => {
    const a = echoing()
    const { send } = openStack({ a, b: echoing() })
    await send('tools/call', { name: 'a__n', arguments: { name: 'a__n', text: 'é 1.0' } }).over()
    const got = a.got.map(({ frame }) => frame.text).filter((text) => text.includes('tools/call'))
    expect(got).toHaveLength(1)
    expect(got[0]).toContain('"params":{"name":"n","arguments":{"name":"a__n","text":"é 1.0"}')
  })

  test('is recorded and judged under its server’s own names', async () => {
    const { send, records } = openStack({ a: echoing(), b: echoing() })
    const { message } = await send('tools/call', { name: 'b__n' }, stackGrant('n')).over()
    expect(message.result).toMatchObject({ isError: true })
    expect(records).toMatchObject([{ server: 'b', tool: 'n', effect: 'deny', rule: '/tools' }])
  })

  test('of a task goes to the server that made it, under the stack’s name of it', async () => {
    const extensions = { 'io.modelcontextprotocol/tasks': {} }
    const _meta = { 'io.modelcontextprotocol/clientCapabilities': { extensions } }
    const a = answeringUpstream(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call'
        ? { result: { resultType: 'task', taskId: 't-1', status: 'working' } }
        : { result: { resultType: 'complete', taskId: 't-1', status: 'working' } },
    )
    const { send } = openStack({ a, b: echoing() })
    const made = await send('tools/call', { name: 'a__n', _meta }).over()
    expect(made.message.result?.taskId).toBe('a__t-1')
    const got = await send('tasks/get', { taskId: 'a__t-1', _meta }).over()
    expect(got.message.result?.taskId).toBe('a__t-1')
    expect((await send('tasks/get', { taskId: 'b__t-1', _meta }).over()).error?.code).toBe(
      'params_invalid',
    )
    expect((await send('tasks/get', { taskId: 't-1', _meta }).over()).error?.code).toBe(
      'params_invalid',
    )
  })

  test('is nobody’s when its server has left the stack', async () => {
    const { send, put } = openStack({ a: echoing(), b: echoing() })
    put({ servers: ['a'] })
    const { message } = await send('tools/call', { name: 'b__n' }).over()
    expect(message.error?.message).toBe('Unknown tool: b__n')
  })

  test('is refused where it does not say what', async () => {
    const { send } = openStack({ a: echoing() })
    expect((await send('tools/call', { name: 7 }).over()).error?.code).toBe('params_invalid')
    expect((await send('completion/complete', { ref: 'x' }).over()).error?.code).toBe(
      'params_invalid',
    )
    expect((await send('x/y').over()).error?.code).toBe('method_unknown')
  })
})
