import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameOf } from '../../../../test/fakes/frames.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import { factsOf } from './session-id.ts'
import { continued, stamped, stampOf } from './stamp.ts'

const stamp = stampOf(factsOf({ clientInfo: { name: 'c', version: '1' } }, true), 'warning')
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/logLevel': 'warning',
}
const own = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
const isFree = (key: string): boolean =>
  !['_meta', 'task', 'requestState', 'inputResponses', '__proto__'].includes(key)
const free = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => isFree(key)))

test('a stamped request says what the client said, and who the client is', () => {
  fc.assert(
    fc.property(own, fc.option(own), fc.constantFrom(undefined, 1), (params, meta, space) => {
      const given = { ...free(params), ...(meta === null ? {} : { _meta: free(meta) }) }
      const text = JSON.stringify(
        { jsonrpc: '2.0', id: 1, method: 'm', params: given },
        null,
        space,
      )
      const { params: said, ...rest } = JSON.parse(
        stamped(frameOf(text) as RequestFrame, stamp).text,
      )
      expect(rest).toEqual({ jsonrpc: '2.0', id: 1, method: 'm' })
      // As it is on the wire: JSON has no negative zero.
      const sent = JSON.parse(text).params
      expect(said).toEqual({ ...sent, _meta: { ...sent._meta, ...META } })
    }),
  )
})

test('a further round differs in its id, its answers and its state alone', () => {
  const first = stamped(
    frameOf('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1.0}}') as RequestFrame,
    stamp,
  )
  const second = continued(first, 'two', { responses: '{"x":2.0}', state: '"s"' })
  expect(second.text).toBe(
    first.text
      .replace('"id":1', '"id":"two"')
      .replace(/}}$/, ',"inputResponses":{"x":2.0},"requestState":"s"}}'),
  )
  const third = continued(second, 'three', { responses: undefined, state: '"t"' })
  expect(JSON.parse(third.text).params).toMatchObject({ a: 1, requestState: 't' })
  expect(third.text).not.toContain('inputResponses')
})
