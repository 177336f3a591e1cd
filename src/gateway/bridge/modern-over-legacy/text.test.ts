import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf } from '../../../../test/fakes/frames.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import { answerUp, clientOf, discovery, inputRequest, requestDown, subscribed } from './text.ts'

const P = 'io.modelcontextprotocol/'
const request = (params: string): RequestFrame =>
  frameOf(`{"jsonrpc":"2.0","id":"c-1","method":"tools/call","params":${params}}`) as RequestFrame
const stamp = (method: string, serverInfo?: string) => ({ idText: '"c-1"', method, serverInfo })

describe('a request on its way down', () => {
  test('loses what only the stateless era says, and keeps every other byte', () => {
    const { text } = requestDown(
      request(
        `{"name":"t", "arguments":{"big":12345678901234567890,"one":1.0} ,"_meta":{"${P}protocolVersion":"2026-07-28","${P}clientCapabilities":{},"${P}clientInfo":{},"${P}logLevel":"info","traceparent":"00-a","vendor/x":1.50,"progressToken":"tök"},"inputResponses":{},"requestState":"s"}`,
      ),
      7,
    )
    expect(text).toBe(
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"big":12345678901234567890,"one":1.0},"_meta":{"traceparent":"00-a","vendor/x":1.50,"progressToken":7}}}',
    )
  })

  test('is the same as text and as values', () => {
    const down = requestDown(
      request(`{"_meta":{"${P}protocolVersion":"x","progressToken":1,"a":[2]},"name":"t"}`),
      3,
    )
    const { id, method, params } = JSON.parse(down.text)
    expect({ id, method, params }).toEqual({
      id: down.id,
      method: down.method,
      params: down.params,
    })
  })

  test('has no `_meta` when nothing is left of it', () => {
    expect(requestDown(request(`{"_meta":{"${P}protocolVersion":"x"}}`), 3).text).toBe(
      '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{}}',
    )
  })

  test('keeps a key that objects have a meaning for', () => {
    const down = requestDown(request('{"_meta":{"__proto__":{"progressToken":9}},"name":"t"}'), 3)
    expect(down.text).toContain('"_meta":{"__proto__":{"progressToken":9}}')
    expect(Object.keys(down.params._meta as object)).toEqual(['__proto__'])
  })

  test('names its client without tasks, which are not bridged', () => {
    const capabilities = { roots: {}, extensions: { [`${P}tasks`]: {}, 'x/y': { a: 1 } } }
    expect(clientOf({ _meta: { [`${P}clientCapabilities`]: capabilities } }).capabilities).toEqual({
      roots: {},
      extensions: { 'x/y': { a: 1 } },
    })
    const alone = { extensions: { [`${P}tasks`]: {} } }
    expect(clientOf({ _meta: { [`${P}clientCapabilities`]: alone } }).capabilities).toEqual({})
  })
})

describe('an answer on its way up', () => {
  test('is complete, and keeps every other byte', () => {
    const text = '{"jsonrpc":"2.0","id":7,"result":{ "content":[],"structuredContent":{"n":1.0}}}'
    expect(answerUp(text, stamp('tools/call'))).toBe(
      '{"jsonrpc":"2.0","id":"c-1","result":{"resultType":"complete", "content":[],"structuredContent":{"n":1.0}}}',
    )
  })

  test('is complete even when it is empty', () => {
    expect(answerUp('{"jsonrpc":"2.0","id":7,"result":{}}', stamp('completion/complete'))).toBe(
      '{"jsonrpc":"2.0","id":"c-1","result":{"resultType":"complete"}}',
    )
  })

  test('is complete whatever the server says of it', () => {
    const text = '{"jsonrpc":"2.0","id":7,"result":{"resultType":"input_required"}}'
    expect(JSON.parse(answerUp(text, stamp('tools/call'))).result.resultType).toBe('complete')
  })

  test.each([
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'resources/read',
  ])('to %s is not to be kept', (method) => {
    const up = JSON.parse(answerUp('{"jsonrpc":"2.0","id":7,"result":{"a":1}}', stamp(method)))
    expect(up.result).toEqual({ resultType: 'complete', ttlMs: 0, cacheScope: 'private', a: 1 })
  })

  test('names the server, beside what it says itself', () => {
    const info = '{"name":"s","version":"1"}'
    const up = (result: string) =>
      JSON.parse(answerUp(`{"jsonrpc":"2.0","id":7,"result":${result}}`, stamp('tools/call', info)))
        .result._meta
    const named = { [`${P}serverInfo`]: { name: 's', version: '1' } }
    expect(up('{}')).toEqual(named)
    expect(up('{"_meta":{}}')).toEqual(named)
    expect(up('{"_meta":{"x":1}}')).toEqual({ ...named, x: 1 })
  })

  test('lists tools without what only tasks of sessions need', () => {
    const tools =
      '[{"name":"a","execution":{"taskSupport":"required"},"x":1.0},{"name":"b"},{"description":"\\"execution\\""}]'
    const up = answerUp(`{"jsonrpc":"2.0","id":7,"result":{"tools":${tools}}}`, stamp('tools/list'))
    expect(up).toContain(
      '"tools":[{"name":"a","x":1.0},{"name":"b"},{"description":"\\"execution\\""}]',
    )
  })

  test('that an unknown resource gives has the code of its era, other errors are as they came', () => {
    const up = (code: number) =>
      answerUp(
        `{"jsonrpc":"2.0","id":7,"error":{"code":${code},"message":"no","data":{"uri":"x"}}}`,
        stamp('resources/read'),
      )
    expect(up(-32002)).toBe(
      '{"jsonrpc":"2.0","id":"c-1","error":{"code":-32602,"message":"no","data":{"uri":"x"}}}',
    )
    expect(up(-32603)).toContain('"code":-32603')
    expect(up(-320020)).toContain('"code":-320020')
  })
})

test('a discovery is what the server said when it was initialized, without tasks', () => {
  const initialized =
    '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"list":{}},"logging":{}},"serverInfo":{"name":"s","version":"1"},"instructions":"be kind"}}'
  expect(JSON.parse(discovery(initialized, { idText: '9', versions: ['2026-07-28'] }))).toEqual({
    jsonrpc: '2.0',
    id: 9,
    result: {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, logging: {} },
      instructions: 'be kind',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [`${P}serverInfo`]: { name: 's', version: '1' } },
    },
  })
})

test('a question loses what belongs to the request that carried it', () => {
  const text =
    '{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","elicitationId":"e","url":"https://a","_meta":{"progressToken":1},"task":{"ttl":1}}}'
  expect(inputRequest('elicitation/create', text)).toBe(
    '{"method":"elicitation/create","params":{"mode":"url","url":"https://a"}}',
  )
  expect(inputRequest('roots/list', '{"jsonrpc":"2.0","id":1,"method":"roots/list"}')).toBe(
    '{"method":"roots/list"}',
  )
})

test.each([
  ['{"jsonrpc":"2.0","method":"m"}', {}],
  ['{"jsonrpc":"2.0","method":"m","params":{}}', {}],
  ['{"jsonrpc":"2.0","method":"m","params":{"uri":"u"}}', { uri: 'u' }],
  ['{"jsonrpc":"2.0","method":"m","params":{"_meta":{}}}', {}],
])('the notification %s can be told of a subscription', (text, params) => {
  const { method, params: told } = JSON.parse(subscribed(text, 'sub', '"id"'))
  expect(method).toBe('m')
  expect(told).toEqual({ ...params, _meta: { sub: 'id' } })
})

test('a notification of a subscription keeps its own `_meta`, but not the name of another', () => {
  const text = '{"method":"m","params":{"_meta":{"a":1.0,"sub":"other"}}}'
  expect(subscribed(text, 'sub', '3')).toBe('{"method":"m","params":{"_meta":{"a":1.0,"sub":3}}}')
})

/** Any object, written with blanks where JSON allows them. */
const anyObject = fc
  .tuple(
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('_meta', 'execution', 'tools', 'ttlMs', 'a"b\\', 'é')),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 5 },
    ),
    fc.constantFrom(undefined, 1, '\t'),
  )
  .map(([value, gap]) => {
    const text = JSON.stringify(value, undefined, gap)
    // What JSON does not tell apart, as 0 and -0, is not told apart here.
    return [JSON.parse(text) as Record<string, unknown>, text] as const
  })

test('any params go down as they were, but for what only stateless requests say', () => {
  fc.assert(
    fc.property(anyObject, anyObject, ([params], [meta]) => {
      const own = { [`${P}protocolVersion`]: 'v', progressToken: 't', ...meta }
      const all = { ...params, inputResponses: {}, requestState: 's', _meta: own }
      const frame = request(JSON.stringify(all))
      const down = requestDown(frame, 7)
      const read = JSON.parse(down.text)
      const { inputResponses: _i, requestState: _r, ...kept } = all
      const left = Object.entries(own).filter(([key]) => !key.startsWith(P))
      expect(read).toEqual({
        jsonrpc: '2.0',
        id: 7,
        method: 'tools/call',
        params: { ...kept, _meta: { ...Object.fromEntries(left), progressToken: 7 } },
      })
      expect(down.params).toEqual(read.params)
    }),
  )
})

test('any result goes up as it was, but for what it is stamped with', () => {
  const methods = ['tools/call', 'tools/list', 'resources/read', 'prompts/get']
  fc.assert(
    fc.property(anyObject, fc.constantFrom(...methods), ([result, text], method) => {
      const up = JSON.parse(
        answerUp(`{"jsonrpc":"2.0","id":1,"result":${text}}`, stamp(method)),
      ).result
      expect(up.resultType).toBe('complete')
      const cacheable = method === 'tools/list' || method === 'resources/read'
      expect('cacheScope' in up).toBe(cacheable || 'cacheScope' in result)
      const { resultType: _t, ttlMs: _m, cacheScope: _s, ...rest } = up
      const { ttlMs: _o, ...expected } = result as Record<string, unknown>
      const tools = expected.tools
      if (method === 'tools/list' && Array.isArray(tools))
        expected.tools = tools.map((tool) => {
          if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return tool
          const { execution: _e, ...shown } = tool as Record<string, unknown>
          return shown
        })
      expect(rest).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('any notification can be told of a subscription, and stays what it was', () => {
  fc.assert(
    fc.property(anyObject, anyObject, ([params], [meta]) => {
      const told = { jsonrpc: '2.0', method: 'm', params: { ...params, _meta: meta } }
      const read = JSON.parse(subscribed(JSON.stringify(told), 'sub', '"id"'))
      expect(read).toEqual({ ...told, params: { ...told.params, _meta: { ...meta, sub: 'id' } } })
    }),
  )
})
