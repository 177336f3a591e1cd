import { expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import { mirrorFault } from './mirror-fault.ts'

const tool = (properties: Json, more: Record<string, Json> = {}) => ({
  name: 't',
  inputSchema: { type: 'object', properties, ...more },
})
const text = (header: Json) => ({ type: 'string', 'x-mcp-header': header })

test.each<[string, Json, Record<string, Json>?]>([
  ['none', { a: { type: 'string' } }],
  [
    'one of each kind',
    {
      a: text('A'),
      b: { type: 'integer', 'x-mcp-header': 'B' },
      c: { type: 'boolean', 'x-mcp-header': 'C' },
    },
  ],
  ['one inside an object', { a: { type: 'object', properties: { b: text('B') } } }],
  ['an argument of that name', { 'x-mcp-header': { type: 'string' } }],
  ['data that looks like one', { a: { type: 'object', default: { 'x-mcp-header': '' } } }],
])('%s can be followed', (_, properties, more) => {
  expect(mirrorFault(tool(properties, more))).toBeUndefined()
})

test.each<[string, Json, Record<string, Json>?]>([
  ['an empty name', { a: text('') }],
  ['a name that is no text', { a: text(5) }],
  ['a name with a blank', { a: text('A B') }],
  ['a name with a line end', { a: text('A\r\nB') }],
  ['a name used twice, in whatever case', { a: text('Region'), b: text('region') }],
  ['an object', { a: { type: 'object', 'x-mcp-header': 'A' } }],
  ['any number, which has many spellings', { a: { type: 'number', 'x-mcp-header': 'A' } }],
  ['an argument of no type', { a: { 'x-mcp-header': 'A' } }],
  ['an item of an array', { a: { type: 'array', items: text('A') } }],
  ['an alternative', { a: { anyOf: [text('A')] } }],
  ['a definition', {}, { $defs: { a: text('A') } }],
  ['the schema itself', {}, { 'x-mcp-header': 'A' }],
])('%s can not', (_, properties, more) => {
  expect(mirrorFault(tool(properties, more))).toEqual(expect.any(String))
})
