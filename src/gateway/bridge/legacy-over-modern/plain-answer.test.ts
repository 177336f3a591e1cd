import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainAnswer } from './plain-answer.ts'
import { ToolTable } from './tool-table.ts'

const tools = new ToolTable(false, () => {})
const STAMPS = ['resultType', 'ttlMs', 'cacheScope']
const INFO = 'io.modelcontextprotocol/serverInfo'
const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
const without = (given: Record<string, unknown>, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(given).filter(([key]) => !keys.includes(key)))

test('an answer loses its stamps and the server’s name, and nothing else', () => {
  fc.assert(
    fc.property(object, object, fc.constantFrom(undefined, 1), (result, meta, space) => {
      const stamps = { resultType: 'complete', ttlMs: 5, cacheScope: 'public' }
      const rest = without(result, [...STAMPS, '_meta', '__proto__'])
      const own = without(meta, [INFO, '__proto__'])
      const sent = { ...stamps, ...rest, _meta: { [INFO]: { name: 's' }, ...own } }
      const text = JSON.stringify({ jsonrpc: '2.0', id: 'fresh', result: sent }, null, space)
      const asked = { method: 'prompts/get', tool: undefined, idText: '"mine"' }
      const got = JSON.parse(plainAnswer(text, asked, tools))
      const wanted = JSON.parse(
        JSON.stringify({ ...rest, ...(Object.keys(own).length === 0 ? {} : { _meta: own }) }),
      )
      expect(got).toEqual({ jsonrpc: '2.0', id: 'mine', result: wanted })
    }),
  )
})

test('of repeated results and stamps none is left over for another reader', () => {
  const text =
    '{"jsonrpc":"2.0","id":1,"result":{"ttlMs":1,"a":1,"ttlMs":2},"result":{"resultType":"x","b":2}}'
  const asked = { method: 'tools/call', tool: 't', idText: '1' }
  expect(plainAnswer(text, asked, tools)).toBe(
    '{"jsonrpc":"2.0","result":{"a":1},"result":{"b":2},"id":1}',
  )
})
