import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnsweringUpstream,
  answer,
  answeringUpstream,
} from '../../test/fakes/answering-upstream.ts'
import { frameOf, requestText } from '../../test/fakes/frames.ts'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { RecordingAnswers } from '../../test/fakes/recording-answers.ts'
import { GatewayError } from '../core/errors.ts'
import type { JsonObject } from '../core/json/json.ts'
import { LISTS, type ListMethod } from '../core/mcp/list.ts'
import type { Caller, Gate } from './gate.ts'
import { requestAt } from './paging.ts'
import { Exchange } from './pipeline.ts'
import type { ReplySink, UpstreamRequest } from './upstream/upstream.ts'

/** The cursor of page `n`; the first that is given is the empty string. */
const cursorOf = (n: number): string => (n === 1 ? '' : `page ${n}`)
const pageOf = ({ frame }: UpstreamRequest): number => {
  const params: JsonObject = frame.kind === 'request' ? frame.params : {}
  if (params.cursor === undefined) return 0
  return params.cursor === '' ? 1 : Number(String(params.cursor).slice(5))
}

type Form = 'json' | 'events' | 'events with a message before'

function send(sink: ReplySink, id: unknown, message: object, form: Form): void {
  if (form === 'json') {
    answer(sink, { id: id as string, ...message })
    return
  }
  sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
  if (form !== 'events')
    sink.event({ data: '{"jsonrpc":"2.0","method":"notifications/message","params":{}}' })
  sink.event({ data: JSON.stringify({ jsonrpc: '2.0', id, ...message }) })
  sink.end()
}

/** A server whose list has these pages. */
const paginated = (
  pages: readonly (readonly string[])[],
  form: (page: number) => Form = () => 'json',
  method: ListMethod = 'tools/list',
): AnsweringUpstream =>
  answeringUpstream((request, sink) => {
    const n = pageOf(request)
    const { member, key } = LISTS[method]
    const result = {
      [member]: (pages[n] ?? []).map((name) => ({ [key]: name, n })),
      ...(n + 1 < pages.length ? { nextCursor: cursorOf(n + 1) } : {}),
    }
    const id = request.frame.kind === 'request' ? request.frame.id : undefined
    send(sink, id, { result }, form(n))
    return undefined
  })

function reader(
  upstream: AnsweringUpstream,
  hidden: readonly string[],
  more: Partial<Caller> = {},
  gate: Gate = openGate().gate,
) {
  const caller: Caller = {
    grant: grantDenying(...hidden),
    server: serverOf(upstream),
    era: 'modern',
    protocolVersion: '2026-07-28',
    session: undefined,
    client: { name: '', version: '' },
    headers: [],
    mirrors: undefined,
    ...more,
  }
  const list = async (
    cursor?: string,
    method: ListMethod = 'tools/list',
    who = caller,
  ): Promise<{ sink: RecordingAnswers; message: Message }> => {
    const sink = new RecordingAnswers()
    const text = requestText(7, method, cursor === undefined ? {} : { cursor })
    await new Exchange(gate, who, frameOf(text), sink).run()
    await sink.over()
    expect(sink.faults).toEqual([])
    return { sink, message: JSON.parse(sink.text === '' ? '{}' : sink.text) as Message }
  }
  return { caller, gate, list }
}

interface Message {
  readonly id?: unknown
  readonly result?: {
    readonly tools?: readonly { readonly name: string }[]
    readonly nextCursor?: string
    readonly ttlMs?: number
    readonly cacheScope?: string
  }
  readonly error?: { readonly code: number }
}
const namesOf = ({ result }: Message): readonly string[] => (result?.tools ?? []).map((t) => t.name)

const anyForm = fc.constantFrom<Form>('json', 'events', 'events with a message before')

describe('a list with hidden things', () => {
  test('is, all pages together, the list without them, in its order, and no page before the end is empty', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
        fc.array(anyForm, { minLength: 8, maxLength: 8 }),
        fc.constantFrom('legacy' as const, 'modern' as const),
        async (layout, forms, era) => {
          const pages = layout.map((page, p) =>
            page.map((isHidden, i) => `${isHidden ? 'hidden' : 'shown'}-${p}-${i}`),
          )
          const all = pages.flat()
          const { list } = reader(
            paginated(pages, (n) => forms[n] ?? 'json'),
            all.filter((name) => name.startsWith('hidden')),
            { era },
          )
          const seen: string[] = []
          let cursor: string | undefined
          let rounds = 0
          do {
            const { message } = await list(cursor)
            expect(message.id).toBe(7)
            const names = namesOf(message)
            seen.push(...names)
            cursor = message.result?.nextCursor
            if (cursor !== undefined) expect(names).not.toEqual([])
            expect(message.result?.cacheScope).toBe(era === 'modern' ? 'private' : undefined)
            expect(message.result?.ttlMs).toBe(era === 'modern' ? 0 : undefined)
          } while (cursor !== undefined && ++rounds < 20)
          expect(seen).toEqual(all.filter((name) => name.startsWith('shown')))
        },
      ),
    )
  })

  test('is read on by the gateway over empty pages, in one answer under the client’s id', async () => {
    const upstream = paginated([['x'], ['x'], [], ['a', 'x'], ['b']])
    const { list } = reader(upstream, ['x'])
    const { message } = await list()
    expect(namesOf(message)).toEqual(['a'])
    expect(upstream.got).toHaveLength(4)
    expect(upstream.got.map(({ frame }) => frame.kind === 'request' && frame.id)).toEqual([
      7,
      expect.stringMatching(/^sallyport-/),
      expect.stringMatching(/^sallyport-/),
      expect.stringMatching(/^sallyport-/),
    ])
    expect(namesOf((await list(message.result?.nextCursor)).message)).toEqual(['b'])
  })

  test('that shows nothing at all ends with one empty page', async () => {
    const { list } = reader(paginated([['x'], ['x'], ['x']]), ['x'])
    const { message } = await list()
    expect(message.result?.tools).toEqual([])
    expect(message.result?.nextCursor).toBeUndefined()
  })

  test('is not even read on for a grant without a policy', async () => {
    const upstream = paginated([['a'], ['b']])
    const { list } = reader(upstream, [], { grant: { ...grantDenying(), policy: undefined } })
    const { message } = await list()
    expect(message.result).toEqual({ tools: [], ttlMs: 0, cacheScope: 'private' })
    expect(upstream.got).toHaveLength(1)
  })

  test('that does not end is given away with its cursor after so many pages', async () => {
    const upstream = answeringUpstream((request) => ({
      result: { tools: [{ name: 'x' }], nextCursor: cursorOf(pageOf(request) + 1) },
    }))
    const { list } = reader(upstream, ['x'])
    const { message } = await list()
    expect(upstream.got).toHaveLength(100)
    expect(message.result?.tools).toEqual([])
    await list(message.result?.nextCursor)
    expect(pageOf(upstream.got[100] as UpstreamRequest)).toBe(100)
  })

  test('of a server that leads in circles is not followed', async () => {
    const upstream = answeringUpstream(() => ({ result: { tools: [], nextCursor: 'again' } }))
    const { list } = reader(upstream, [])
    const { message } = await list()
    expect(upstream.got).toHaveLength(2)
    expect(message.result?.nextCursor).toBeDefined()
  })

  test.each([
    ['an error', () => ({ error: { code: -32603, message: 'no' } })],
    ['no connection', () => new GatewayError('upstream_unreachable')],
  ])('on whose next page there is %s is given away as far as it goes', async (_, fails) => {
    let isDown = true
    const upstream = answeringUpstream((request) =>
      pageOf(request) === 0
        ? { result: { tools: [{ name: 'x' }], nextCursor: '' } }
        : isDown
          ? (fails() as JsonObject)
          : { result: { tools: [{ name: 'a' }] } },
    )
    const { list } = reader(upstream, ['x'])
    const { message } = await list()
    expect(message).toMatchObject({ id: 7, result: { tools: [] } })
    isDown = false
    expect(namesOf((await list(message.result?.nextCursor)).message)).toEqual(['a'])
  })

  test('is asked for no further once the client has gone', async () => {
    const upstream = answeringUpstream(() => undefined)
    const { caller, gate } = reader(upstream, ['x'])
    const exchange = new Exchange(
      gate,
      caller,
      frameOf(requestText(1, 'tools/list')),
      new RecordingAnswers(),
    )
    let held: { request: UpstreamRequest; sink: ReplySink } | undefined
    upstream.respond = (request, sink) => {
      held = { request, sink }
      return undefined
    }
    await exchange.run()
    await Promise.resolve()
    exchange.cancel()
    expect(upstream.cancelled).toBe(1)
    const id = held?.request.frame.kind === 'request' ? held.request.frame.id : ''
    if (held !== undefined)
      send(held.sink, id, { result: { tools: [{ name: 'x' }], nextCursor: '' } }, 'json')
    expect(upstream.got).toHaveLength(1)
  })

  test('has an error of the server as its answer, as it came', async () => {
    const upstream = answeringUpstream(() => ({ error: { code: -32603, message: 'no' } }))
    const { list } = reader(upstream, [])
    const { sink } = await list()
    expect(sink.text).toBe('{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no"}}')
  })

  test.each([
    ['a stream that ends without an answer', 'events'],
    ['no body', 'empty'],
  ] as const)('answered with %s is passed on as that', async (_, kind) => {
    const upstream = answeringUpstream((__, sink) => {
      sink.head({ status: 200, kind, length: undefined, session: undefined })
      if (kind === 'events') sink.event({ data: '', id: 'e1', retry: '10' })
      sink.end()
      return undefined
    })
    const { sink } = await reader(upstream, []).list()
    expect(sink.kind).toBe(kind)
    expect(sink.error).toBeUndefined()
  })
})

describe('a cursor', () => {
  const start = async (more: Partial<Caller> = {}) => {
    const upstream = paginated([['a'], ['b'], ['c']])
    const made = reader(upstream, [], more)
    const { message } = await made.list()
    return { ...made, upstream, cursor: message.result?.nextCursor ?? '' }
  }
  const refusal = async (list: Promise<{ sink: RecordingAnswers }>): Promise<string | undefined> =>
    (await list).sink.error?.code

  test('tells nothing of the server’s own', async () => {
    const { list } = reader(paginated([['a'], ['b'], ['c']]), [])
    const first = (await list()).message.result?.nextCursor
    const second = (await list(first)).message.result?.nextCursor ?? ''
    expect(Buffer.from(second, 'base64url').toString('latin1')).not.toContain('page')
  })

  test('opens what it was given for, and reaches the server as its own', async () => {
    const { list, cursor, upstream } = await start()
    expect(namesOf((await list(cursor)).message)).toEqual(['b'])
    expect(upstream.got[1]?.frame.text).toBe(requestText(7, 'tools/list', { cursor: '' }))
    expect(Buffer.from(upstream.got[1]?.bytes ?? []).toString()).toBe(upstream.got[1]?.frame.text)
  })

  test('of one grant opens nothing for another', async () => {
    const { list, cursor, caller, upstream } = await start()
    const other = { ...caller, grant: { ...caller.grant, id: 'grant-2' } }
    expect(await refusal(list(cursor, 'tools/list', other))).toBe('cursor_unknown')
    expect(upstream.got).toHaveLength(1)
  })

  test('of one server or list opens nothing at another', async () => {
    const { list, cursor, caller } = await start()
    const entry = { ...caller.server.entry, id: 'other' }
    const other = { ...caller, server: { ...caller.server, entry } }
    expect(await refusal(list(cursor, 'tools/list', other))).toBe('cursor_unknown')
    expect(await refusal(list(cursor, 'prompts/list'))).toBe('cursor_unknown')
  })

  test('that was not sealed here is refused, the server’s own too', async () => {
    const { list, cursor, gate } = await start()
    const sealed = gate.seal.seal(JSON.stringify(['grant-1', 'id', 'tools/list', '', 'r']))
    for (const wrong of ['', 'page 2', `${cursor}A`, cursor.slice(0, -1), sealed, 'x'.repeat(9999)])
      expect(await refusal(list(wrong))).toBe('cursor_unknown')
  })

  test('that is no text is refused', async () => {
    const { caller, gate } = await start()
    for (const cursor of [1, null, {}, ['']]) {
      const sink = new RecordingAnswers()
      const text = requestText(7, 'tools/list', { cursor })
      await new Exchange(gate, caller, frameOf(text), sink).run()
      expect(sink.error?.code).toBe('cursor_unknown')
    }
  })

  test('is good after a restart', async () => {
    const { cursor } = await start()
    const { list } = reader(paginated([['a'], ['b'], ['c']]), [])
    expect(namesOf((await list(cursor)).message)).toEqual(['b'])
  })
})

test('a list may be kept for a minute, and no longer than the grant is good', async () => {
  const upstream = answeringUpstream(() => ({
    result: { tools: [], ttlMs: 3_600_000, cacheScope: 'public' },
  }))
  const { list, caller, gate } = reader(upstream, [])
  expect((await list()).message.result).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' })
  const soon = { ...caller, grant: { ...caller.grant, expiresAt: gate.clock.now() + 5_000 } }
  const kept = (await list(undefined, 'tools/list', soon)).message.result?.ttlMs
  expect(kept).toBeLessThanOrEqual(5_000)
  expect(kept).toBeGreaterThan(0)
})

test.each([
  ['server/discover', 'complete', 60_000],
  ['resources/read', 'complete', 60_000],
  ['resources/read', 'input_required', undefined],
] as const)('what %s answers (%s) is private too', async (method, resultType, ttlMs) => {
  const result = resultType === 'complete' ? { resultType, ttlMs: 1e9 } : { resultType }
  const upstream = answeringUpstream(() => ({ result }))
  const { caller, gate } = reader(upstream, [])
  const sink = new RecordingAnswers()
  const text = requestText(7, method, { uri: 'file:///a' })
  await new Exchange(gate, caller, frameOf(text), sink).run()
  await sink.over()
  expect(sink.message.result?.ttlMs).toBe(ttlMs)
  expect(sink.message.result?.cacheScope).toBe(ttlMs === undefined ? undefined : 'private')
})

test('a request for another page is the client’s own, but for the cursor', () => {
  const at = (text: string, id?: string) => {
    const frame = frameOf(text)
    return frame.kind === 'request' ? requestAt(frame, 'c', id).text : ''
  }
  expect(at('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 'x')).toBe(
    '{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"cursor":"c"}}',
  )
  expect(at('{"params": {} ,"jsonrpc":"2.0","id":1,"method":"tools/list"}')).toBe(
    '{"params": {"cursor":"c"} ,"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  )
  expect(at('{"params":{"cursor":"\\u0061", "n":1.0},"jsonrpc":"2.0","id":1,"method":"m"}')).toBe(
    '{"params":{"cursor":"c", "n":1.0},"jsonrpc":"2.0","id":1,"method":"m"}',
  )
  expect(at('{"params":{"n":1.0},"jsonrpc":"2.0","id":1,"method":"m"}')).toBe(
    '{"params":{"cursor":"c","n":1.0},"jsonrpc":"2.0","id":1,"method":"m"}',
  )
})

test('a page whose stream the server closes is fetched from where it stopped, when only the gateway knows of it', async () => {
  const upstream = answeringUpstream((request, sink) => {
    if (pageOf(request) === 0) return { result: { tools: [{ name: 'x' }], nextCursor: '' } }
    sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    sink.event({ data: '', id: 'e1', retry: '1' })
    sink.end()
    return undefined
  })
  const resumed: (readonly string[])[] = []
  upstream.listen = ({ headers }, sink) => {
    resumed.push(headers)
    const asked = upstream.got.at(-1)?.frame
    const id = asked?.kind === 'request' ? asked.id : undefined
    queueMicrotask(() => send(sink, id, { result: { tools: [{ name: 'a' }] } }, 'events'))
    return { cancel() {} }
  }
  const mirrors = { method: undefined, name: undefined, params: new Map<string, string>() }
  const { list } = reader(upstream, ['x'], { era: 'legacy', mirrors })
  const { message } = await list()
  expect(namesOf(message)).toEqual(['a'])
  expect(message.id).toBe(7)
  expect(resumed).toEqual([['last-event-id', 'e1']])
})
