import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json/json.ts'
import { filterList, isListMethod, itemName, LISTS, type ListMethod } from './list.ts'

const hiding =
  (...names: readonly string[]) =>
  (item: JsonObject): boolean =>
    names.includes(String(itemName('tools/list', item)))

const answer = (tools: string, more = ''): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"tools":[${tools}]${more}}}`

describe('filterList', () => {
  test('keeps every byte of what stays', () => {
    const kept =
      '{ "name":"a", "x-vendor": 12345678901234567890, "max":1.0, "é":"\\u00e9", "deep":{"n":[1e400, -0]} }'
    const text = answer(`{"name":"b"},\n ${kept} , {"name":"c"}`, ', "unknown" : {"v": 1.50}')
    const filtered = filterList(text, 'tools/list', hiding('b', 'c'))
    expect(filtered?.text).toBe(answer(kept, ', "unknown" : {"v": 1.50}'))
  })

  test('leaves an answer from which nothing is hidden as it came', () => {
    const text = ` {"result" : { "tools" : [ {"name":"a"} , {"name":"b"} ] , "n":1.0 },"id":1, "jsonrpc":"2.0"}\n`
    expect(filterList(text, 'tools/list', hiding())?.text).toBe(text)
  })

  test('shows exactly what is not hidden, in its order, whatever the spacing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.boolean(), fc.jsonValue({ maxDepth: 2 }))),
        fc.constantFrom(undefined, 1, '\t'),
        (tools, space) => {
          const hidden = new Set(tools.filter(([, isHidden]) => isHidden).map(([name]) => name))
          const items = tools.map(([name, , extra]) => ({ name, extra }))
          const text = JSON.stringify(
            { jsonrpc: '2.0', id: 1, result: { tools: items } },
            null,
            space,
          )
          const filtered = filterList(text, 'tools/list', (i) => hidden.has(String(i.name)))
          const want = JSON.parse(text).result.tools.filter(
            (t: { name: string }) => !hidden.has(t.name),
          )
          expect(JSON.parse(filtered?.text ?? '').result.tools).toEqual(want)
          expect(filtered?.page?.items).toHaveLength(tools.length)
        },
      ),
    )
  })

  test('marks a cacheable list as private to its reader', () => {
    const text = answer('{"name":"a"}', ',"cacheScope":"public","ttlMs":1000')
    const filtered = filterList(text, 'tools/list', hiding())
    expect(filtered?.text).toBe(answer('{"name":"a"}', ',"cacheScope":"private","ttlMs":1000'))
  })

  test('drops what is no object', () => {
    const filtered = filterList(answer('1,null,"x",[],{"name":"a"}'), 'tools/list', hiding())
    expect(filtered?.text).toBe(answer('{"name":"a"}'))
  })

  test('drops an item that has two names', () => {
    const text = answer('{"name":"secret","name":"a"},{"name":"b"}')
    expect(filterList(text, 'tools/list', hiding('secret'))?.text).toBe(answer('{"name":"b"}'))
  })

  test('an answer with two lists is no list', () => {
    const two = '{"result":{"tools":[{"name":"secret"}],"tools":[{"name":"a"}]}}'
    expect(filterList(two, 'tools/list', hiding('secret'))).toBeUndefined()
    const results = '{"result":{"tools":[{"name":"secret"}]},"result":{"tools":[]}}'
    expect(filterList(results, 'tools/list', hiding('secret'))).toBeUndefined()
  })

  test('passes an error through, and has no page', () => {
    const text = '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}'
    expect(filterList(text, 'tools/list', hiding())).toEqual({ text, page: undefined })
  })

  test('what is not JSON is undefined, never a throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => filterList(`{${text}`, 'tools/list', hiding())).not.toThrow()
      }),
    )
    expect(filterList('{', 'tools/list', hiding())).toBeUndefined()
  })

  test('tells whether more pages follow', () => {
    const more = (text: string) =>
      filterList(answer('', text), 'tools/list', hiding())?.page?.hasMore
    expect(more(',"nextCursor":"2"')).toBe(true)
    expect(more(',"nextCursor":""')).toBe(true)
    expect(more(',"nextCursor":null')).toBe(false)
    expect(more('')).toBe(false)
  })

  test.each(Object.keys(LISTS) as ListMethod[])('knows the items of %s by their key', (method) => {
    const { member, key } = LISTS[method]
    const text = JSON.stringify({ result: { [member]: [{ [key]: 'a' }, { [key]: 'b' }] } })
    const filtered = filterList(text, method, (item) => itemName(method, item) === 'b')
    expect(filtered?.text).toBe(JSON.stringify({ result: { [member]: [{ [key]: 'a' }] } }))
    expect(isListMethod(method)).toBe(true)
  })

  test('a method that an object inherits is no list', () => {
    expect(isListMethod('constructor')).toBe(false)
    expect(isListMethod('__proto__')).toBe(false)
  })
})
