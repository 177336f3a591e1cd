import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { parseFrame } from '../mcp/frame.ts'
import type { RequestFrame } from '../mcp/frame-model.ts'
import { stackedAnswer, stackedNotification } from './answer.ts'
import { discoverReply } from './discover.ts'
import { pageOf } from './lists.ts'
import { joinName, joinUri } from './names.ts'
import { askedOf, isRouted, routeOf, withParam } from './route.ts'
import { listenFrame } from './subscription.ts'

function requestOf(method: string, params: object, indent = 0): RequestFrame | undefined {
  const read = parseFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }, null, indent))
  return read.ok && read.frame.kind === 'request' ? read.frame : undefined
}
const keys = fc.constantFrom('name', 'uri', 'ref', 'taskId', 'arguments', '_meta', 'x', 'params')
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a__b', 'a+x://y', 'ui://a__b', 'a', '', 1, true, null),
    fc.string(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value
const params = fc.dictionary(keys, values, { maxKeys: 6 })
const methods = fc.constantFrom(
  ...['tools/call', 'prompts/get', 'resources/read', 'completion/complete', 'tasks/get'],
  ...['tools/list', 'subscriptions/listen', 'x/y'],
)
const indents = fc.constantFrom(0, 2)

/** What a text says, as the pipeline would read it. */
const readOf = (frame: RequestFrame): Json | undefined => {
  const read = parseFrame(frame.text)
  return read.ok && read.frame.kind === 'request' ? read.frame.params : undefined
}

describe('a request for a member', () => {
  test('is judged by what its text says, whatever it holds', () => {
    fc.assert(
      fc.property(methods, params, indents, (method, given, indent) => {
        const frame = requestOf(method, given, indent)
        fc.pre(frame !== undefined)
        const routed = routeOf(frame)
        const listening = listenFrame(frame, 'a')
        for (const own of [routed?.frame, listening])
          if (own !== undefined) expect(readOf(own)).toEqual(own.params)
      }),
    )
  })

  test('differs from the client’s in one name alone', () => {
    fc.assert(
      fc.property(params, indents, (given, indent) => {
        const frame = requestOf('tools/call', { ...given, name: joinName('m', 'n') }, indent)
        fc.pre(frame !== undefined)
        const routed = routeOf(frame)
        expect(routed?.member).toBe('m')
        expect(routed?.frame.params).toEqual({ ...frame.params, name: 'n' })
        expect(routed?.frame.text.length).toBe(frame.text.length - 'm__'.length)
      }),
    )
  })

  test.each([
    ['prompts/get', { name: joinName('m', 'p') }, { name: 'p' }],
    ['resources/read', { uri: joinUri('m', 'x://1') }, { uri: 'x://1' }],
    ['tasks/update', { taskId: joinName('m', 't') }, { taskId: 't' }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'm__p' }, argument: { name: 'm__x' } },
      { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'm__x' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'm+x://{id}' } },
      { ref: { type: 'ref/resource', uri: 'x://{id}' } },
    ],
  ])('%s says which member it means', (method, given, want) => {
    const frame = requestOf(method, given)
    expect(frame && routeOf(frame)).toMatchObject({ member: 'm', frame: { params: want } })
  })

  test.each([
    ['tools/call', {}],
    ['tools/call', { name: 1 }],
    ['completion/complete', {}],
    ['completion/complete', { ref: 'm__p' }],
    ['completion/complete', { ref: { type: 'ref/prompt', uri: 'm+x://1' } }],
  ])('%s of %j means nobody', (method, given) => {
    const frame = requestOf(method, given)
    expect(frame && isRouted(frame)).toBe(true)
    expect(frame && askedOf(frame)).toBeUndefined()
    expect(frame && routeOf(frame)).toBeUndefined()
  })

  test('is not changed at a place that it does not have', () => {
    const frame = requestOf('tools/list', {})
    expect(frame && withParam(frame, ['cursor'], 'x')).toBe(frame)
  })
})

test('whatever a member answers, the stack gives something', () => {
  const frame = requestOf('tools/call', { name: 'a__b' })
  const routed = frame && routeOf(frame)
  const asked = frame && askedOf(frame)
  if (routed === undefined || asked === undefined) throw new Error('it is about nobody')
  const texts = fc.oneof(
    fc.string(),
    values.map((value) => JSON.stringify({ result: value, uri: 1 })),
  )
  fc.assert(
    fc.property(texts, values, (text, result) => {
      const given = stackedAnswer(text, asked, routed)
      if (isJson(text)) expect(isJson(given)).toBe(true)
      stackedNotification(text, 'a')
      pageOf(text, 'resources/list', 'a')
      const said = { name: 'a', result: { capabilities: result } as never, isMissing: false }
      expect(isJson(discoverReply(1, { name: 's', versions: [] }, [said, said]))).toBe(true)
    }),
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
