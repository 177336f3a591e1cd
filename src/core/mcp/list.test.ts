import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json/json.ts'
import {
  isListMethod,
  itemName,
  LISTS,
  type ListMethod,
  type ListRewrite,
  readList,
} from './list.ts'

/** The list as it goes to a reader from whom some items are hidden; cursors stay as they are. */
function filterList(
  text: string,
  method: ListMethod,
  isHidden: (item: JsonObject) => boolean,
  how: Partial<ListRewrite> = {},
): string | undefined {
  const page = readList(text, method)
  if (page === undefined || page === 'none') return page
  const { nextCursor: cursor } = page
  return page.rewrite({ cursor, maxTtlMs: undefined, id: undefined, ...how, isHidden }).text
}

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
    expect(filtered).toBe(answer(kept, ', "unknown" : {"v": 1.50}'))
  })

  test('leaves an answer from which nothing is hidden as it came', () => {
    const text = ` {"result" : { "tools" : [ {"name":"a"} , {"name":"b"} ] , "n":1.0 },"id":1, "jsonrpc":"2.0"}\n`
    expect(filterList(text, 'tools/list', hiding())).toBe(text)
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
          expect(JSON.parse(filtered ?? '').result.tools).toEqual(want)
        },
      ),
    )
  })

  test('marks a cacheable list as private to its reader', () => {
    const text = answer('{"name":"a"}', ',"cacheScope":"public","ttlMs":1000')
    const filtered = filterList(text, 'tools/list', hiding())
    expect(filtered).toBe(answer('{"name":"a"}', ',"cacheScope":"private","ttlMs":1000'))
  })

  test('drops what is no object', () => {
    const filtered = filterList(answer('1,null,"x",[],{"name":"a"}'), 'tools/list', hiding())
    expect(filtered).toBe(answer('{"name":"a"}'))
  })

  test('drops an item that has two names', () => {
    const text = answer('{"name":"secret","name":"a"},{"name":"b"}')
    expect(filterList(text, 'tools/list', hiding('secret'))).toBe(answer('{"name":"b"}'))
  })

  test('an answer with two lists is no list', () => {
    const two = '{"result":{"tools":[{"name":"secret"}],"tools":[{"name":"a"}]}}'
    expect(filterList(two, 'tools/list', hiding('secret'))).toBeUndefined()
    const results = '{"result":{"tools":[{"name":"secret"}]},"result":{"tools":[]}}'
    expect(filterList(results, 'tools/list', hiding('secret'))).toBeUndefined()
  })

  test.each(['Tools', 'TOOLS', 'too\u200bls', 'ｔools'])(
    'an answer whose list some reader would find under %s is no list',
    (key) => {
      const hidden = JSON.stringify({ result: { [key]: [{ name: 'secret' }] } })
      expect(readList(hidden, 'tools/list')).toBeUndefined()
      const beside = JSON.stringify({ result: { tools: [], [key]: [{ name: 'secret' }] } })
      expect(readList(beside, 'tools/list')).toBeUndefined()
    },
  )

  test('drops an item whose name some reader would find elsewhere', () => {
    const text = answer('{"name":"a","Name":"secret"},{"NAME":"secret"},{"name":"b"}')
    expect(filterList(text, 'tools/list', hiding('secret'))).toBe(answer('{"name":"b"}'))
  })

  test('passes an error through, and has no page', () => {
    const text = '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}'
    expect(readList(text, 'tools/list')).toBe('none')
  })

  test('what is not JSON is undefined, never a throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => filterList(`{${text}`, 'tools/list', hiding())).not.toThrow()
      }),
    )
    expect(filterList('{', 'tools/list', hiding())).toBeUndefined()
  })

  test('tells where the next page begins, if there is one', () => {
    const next = (text: string) => {
      const page = readList(answer('', text), 'tools/list')
      return typeof page === 'object' ? page.nextCursor : page
    }
    expect(next(',"nextCursor":"2"')).toBe('2')
    expect(next(',"nextCursor":""')).toBe('')
    expect(next(',"nextCursor":null')).toBeUndefined()
    expect(next('')).toBeUndefined()
  })

  test('an answer with two next cursors is no list', () => {
    expect(readList(answer('', ',"nextCursor":"1","nextCursor":"2"'), 'tools/list')).toBeUndefined()
  })

  test('puts another cursor in the place of the server’s, or ends the list', () => {
    const text = answer('{"name":"a"}', ' , "nextCursor" : "2" ,"x":1.0')
    const withCursor = (cursor: string | undefined) =>
      filterList(text, 'tools/list', hiding('a'), { cursor })
    expect(withCursor('"q"')).toBe(answer('', String.raw` , "nextCursor" : "\"q\"" ,"x":1.0`))
    expect(withCursor(undefined)).toBe(answer('', ' , "x":1.0'))
    const last = answer('{"name":"a"}', ',"x":1.0,"nextCursor":""')
    expect(filterList(last, 'tools/list', hiding(), { cursor: undefined })).toBe(
      answer('{"name":"a"}', ',"x":1.0'),
    )
  })

  test('makes a page of the caching era private, with a bounded time', () => {
    const kept = (more: string) =>
      filterList(answer('', more), 'tools/list', hiding(), { maxTtlMs: 500 })
    expect(kept('')).toBe(answer('', ',"ttlMs":0,"cacheScope":"private"'))
    expect(kept(',"ttlMs":499,"cacheScope":"public"')).toBe(
      answer('', ',"ttlMs":499,"cacheScope":"private"'),
    )
    for (const long of ['501', '1e300', '12345678901234567890'])
      expect(kept(`,"ttlMs":${long},"cacheScope":"private"`)).toBe(
        answer('', ',"ttlMs":500,"cacheScope":"private"'),
      )
    for (const odd of ['-1', '1.5', '"60000"', 'null', '{}', '-12345678901234567890'])
      expect(kept(`,"cacheScope":7,"ttlMs":${odd}`)).toBe(
        answer('', ',"cacheScope":"private","ttlMs":0'),
      )
    expect(kept(',"cacheScope":"private","ttlMs":1,"cacheScope":"public"')).toBe(
      answer('', ',"cacheScope":"private","ttlMs":1,"cacheScope":"private"'),
    )
  })

  test('answers under the id that the client used', () => {
    const page = filterList(answer('{"name":"a"}'), 'tools/list', hiding(), { id: 'mine' })
    expect(page).toBe(answer('{"name":"a"}').replace('"id":1', '"id":"mine"'))
  })

  test.each(Object.keys(LISTS) as ListMethod[])('knows the items of %s by their key', (method) => {
    const { member, key } = LISTS[method]
    const text = JSON.stringify({ result: { [member]: [{ [key]: 'a' }, { [key]: 'b' }] } })
    const filtered = filterList(text, method, (item) => itemName(method, item) === 'b')
    expect(filtered).toBe(JSON.stringify({ result: { [member]: [{ [key]: 'a' }] } }))
    expect(isListMethod(method)).toBe(true)
  })

  test('a method that an object inherits is no list', () => {
    expect(isListMethod('constructor')).toBe(false)
    expect(isListMethod('__proto__')).toBe(false)
  })
})
