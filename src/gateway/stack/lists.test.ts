import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { answeringUpstream } from '../../../test/fakes/answering-upstream.ts'
import { openStack, stackGrant } from '../../../test/fakes/stack.ts'
import { failing, hang, noSuchMethod, paged, silent } from '../../../test/fakes/stack-members.ts'
import { until } from '../../../test/fakes/until.ts'
import type { JsonObject } from '../../core/json/json.ts'
import { MISSING_META } from '../../core/stack/lists.ts'
import { createSeal } from '../seal.ts'

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

  test('blames no server for a place in it that nobody gave', async () => {
    const { send, logged } = openStack({ a: paged(['1']) })
    const seal = createSeal(new Uint8Array(32), 'test cursors')
    const place = ['grant-1', 'stack', 'tools/list', { a: 'not one of ours' }]
    const sink = await send('tools/list', { cursor: seal.seal(JSON.stringify(place)) }).over()
    expect(sink.error?.code).toBe('cursor_unknown')
    expect(logged).toEqual([])
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
