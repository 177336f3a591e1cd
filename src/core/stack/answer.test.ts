import { describe, expect, test } from 'vitest'
import { frameOf } from '../../../test/fakes/frames.ts'
import type { RequestFrame } from '../mcp/frame-model.ts'
import { unknownReply } from '../mcp/reply.ts'
import { stackedAnswer, stackedNotification } from './answer.ts'
import { pageOf, pageReply } from './lists.ts'
import { askedOf, routeOf } from './route.ts'

const frame = (method: string, params: object): RequestFrame =>
  frameOf(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })) as RequestFrame

function answered(request: RequestFrame, text: string): string {
  const [asked, routed] = [askedOf(request), routeOf(request)]
  if (asked === undefined || routed === undefined) throw new Error('it is about nobody')
  return stackedAnswer(text, asked, routed)
}
const call = frame('tools/call', { name: 'a__n', arguments: {} })
const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, result: value })

describe('an answer of a member', () => {
  test.each([
    ['a link', { type: 'resource_link', uri: 'x://1', name: 'n' }, { uri: 'a+x://1' }],
    [
      'a file',
      { type: 'resource', resource: { uri: 'x://1', text: 't' } },
      { resource: { uri: 'a+x://1' } },
    ],
    ['a view', { type: 'resource_link', uri: 'ui://v' }, { uri: 'ui://a__v' }],
    ['a link into the web', { type: 'resource_link', uri: 'https://h/1' }, { uri: 'https://h/1' }],
    ['an odd file', { type: 'resource' }, { type: 'resource' }],
    ['an odd link', { type: 'resource_link', uri: 7 }, { uri: 7 }],
    [
      'a text that only speaks of one',
      { type: 'text', text: '{"uri":"x://1"}', uri: 'x://1' },
      { uri: 'x://1' },
    ],
  ])('names %s so that the stack can be asked for it', (_, block, want) => {
    expect(JSON.parse(answered(call, result({ content: [block] }))).result.content).toMatchObject([
      want,
    ])
    const prompt = frame('prompts/get', { name: 'a__p' })
    const messages = [{ role: 'user', content: block }]
    expect(JSON.parse(answered(prompt, result({ messages }))).result.messages).toMatchObject([
      { content: want },
    ])
  })

  test('of a resource has the URI that was asked for, also in the web', () => {
    const read = frame('resources/read', { uri: 'a+https://h/1' })
    const text = result({ contents: [{ uri: 'https://h/1', text: 't' }, { text: 'no uri' }] })
    expect(JSON.parse(answered(read, text)).result.contents).toMatchObject([
      { uri: 'a+https://h/1' },
      { text: 'no uri' },
    ])
  })

  test('keeps every other character', () => {
    const text =
      '{ "result" : {"content":[ {"type":"resource_link", "uri":"x:\\u002f/1" } ], "n": 1.0e0 } ,"id":1}'
    expect(answered(call, text)).toBe(text.replace('"x:\\u002f/1"', '"a+x://1"'))
    expect(answered(call, '{"result":"uri"')).toBe('{"result":"uri"')
  })

  test('names what does not exist as the client named it', () => {
    expect(answered(call, unknownReply(1, 'tool', 'n'))).toBe(unknownReply(1, 'tool', 'a__n'))
    const other = '{"error":{"code":-32602,"message":"Unknown tool: another"}}'
    expect(answered(call, other)).toBe(other)
  })

  test('of a finished task names what its result refers to', () => {
    const get = frame('tasks/get', { taskId: 'a__t' })
    const content = [{ type: 'resource_link', uri: 'x://1' }]
    expect(
      JSON.parse(answered(get, result({ taskId: 't', result: { content } }))).result,
    ).toMatchObject({ taskId: 'a__t', result: { content: [{ uri: 'a+x://1' }] } })
  })
})

describe('a notification of a member', () => {
  const said = (method: string, params: object) =>
    stackedNotification(JSON.stringify({ jsonrpc: '2.0', method, params }), 'a')
  test('names resources and tasks as the stack does', () => {
    expect(said('notifications/resources/updated', { uri: 'x://1' })).toContain('"a+x://1"')
    expect(said('notifications/tasks', { taskId: 't' })).toContain('"a__t"')
    expect(said('notifications/tools/list_changed', { uri: 'x://1' })).toContain('"x://1"')
  })
  test('that can not be read goes nowhere', () => {
    expect(stackedNotification('[', 'a')).toBeUndefined()
    expect(stackedNotification(`${'['.repeat(200)}${']'.repeat(200)}`, 'a')).toBeUndefined()
  })
})

describe('a page of a member', () => {
  const page = (tools: unknown, more: object = {}) =>
    pageOf(result({ tools, ...more }), 'tools/list', 'a')
  test('names the view of an app, in both ways in which tools name one', () => {
    const _meta = { ui: { resourceUri: 'ui://v' }, 'ui/resourceUri': 'ui://v', other: 'ui://v' }
    expect(JSON.parse(page([{ name: 'n', _meta }])?.items[0] ?? '')).toEqual({
      name: 'a__n',
      _meta: { ui: { resourceUri: 'ui://a__v' }, 'ui/resourceUri': 'ui://a__v', other: 'ui://v' },
    })
  })
  test('is none when it holds no list', () => {
    for (const tools of [undefined, {}, 'x']) expect(page(tools)).toBeUndefined()
    expect(pageOf('{', 'tools/list', 'a')).toBeUndefined()
  })
  test('makes a list that lives as long as its shortest-lived part', () => {
    const pages = [page([], { ttlMs: 5 }), page([], { ttlMs: 9 })].flatMap((p) => p ?? [])
    const ttlOf = (missing: readonly string[], all = pages): number =>
      JSON.parse(pageReply(1, { method: 'tools/list', pages: all, cursor: undefined, missing }))
        .result.ttlMs
    expect([ttlOf([]), ttlOf(['b']), ttlOf([], [])]).toEqual([5, 0, 0])
    expect(page([], { ttlMs: -1 })?.ttlMs).toBe(0)
    expect(page([], { ttlMs: 'x' })?.ttlMs).toBe(0)
  })
})
