import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json/json.ts'
import { Catalogue } from './catalogue.ts'

const open = (): Catalogue =>
  new Catalogue('files', (definition) => ({
    category: String(definition.name).startsWith('read') ? 'Read' : 'Write',
    severity: 'Low',
  }))
const page = (names: readonly string[], hasMore = false) => ({
  items: names.map((name): JsonObject => ({ name })),
  hasMore,
})

describe('the catalogue of a server', () => {
  test('knows what was listed, exactly by its name', () => {
    const catalogue = open()
    catalogue.add(page(['read', 'write']), true)
    expect(catalogue.find('read')?.tool).toMatchObject({ isAdvertised: true, category: 'Read' })
    for (const other of ['Read', 'read ', 'reаd', '__proto__', 'constructor', ''])
      expect(catalogue.find(other)).toBeUndefined()
  })

  test('is complete with the last page, and not before', () => {
    const catalogue = open()
    catalogue.add(page(['a'], true), true)
    expect(catalogue.isComplete).toBe(false)
    expect(catalogue.find('a')).toBeDefined()
    catalogue.add(page(['b']), false)
    expect(catalogue.isComplete).toBe(true)
    expect(catalogue.find('a')).toBeDefined()
    expect(catalogue.find('b')).toBeDefined()
  })

  test('forgets what a whole new list leaves out', () => {
    const catalogue = open()
    catalogue.add(page(['a', 'b']), true)
    catalogue.add(page(['b'], true), true)
    expect(catalogue.find('a')).toBeDefined()
    catalogue.add(page(['c']), false)
    expect(catalogue.find('a')).toBeUndefined()
    expect(catalogue.find('c')).toBeDefined()
  })

  test('a later page alone replaces nothing', () => {
    const catalogue = open()
    catalogue.add(page(['a', 'b']), true)
    catalogue.add(page(['c']), false)
    for (const name of ['a', 'b', 'c']) expect(catalogue.find(name)).toBeDefined()
  })

  test('a tool that nobody listed has the highest risk', () => {
    expect(open().describe('anything')).toMatchObject({
      isAdvertised: false,
      category: 'Financial',
      severity: 'Critical',
    })
  })

  test('items without a name are no tools', () => {
    const catalogue = open()
    catalogue.add({ items: [{ title: 'x' }, { name: 1 }, { name: 'a' }], hasMore: false }, true)
    expect(catalogue.find('1')).toBeUndefined()
    expect(catalogue.find('a')).toBeDefined()
  })

  test('holds so many tools and no more, however many are listed', () => {
    const catalogue = open()
    for (let i = 0; i < 30; i++)
      catalogue.add(
        page(
          Array.from({ length: 1000 }, (_, n) => `t-${i}-${n}`),
          true,
        ),
        i === 0,
      )
    expect(catalogue.find('t-19-999')).toBeDefined()
    expect(catalogue.find('t-25-0')).toBeUndefined()
  })

  test('takes annotations, declared properties and mirrored arguments from the definition', () => {
    const catalogue = open()
    const definition: JsonObject = {
      name: 'read',
      annotations: { readOnlyHint: true },
      inputSchema: {
        type: 'object',
        properties: {
          region: { type: 'string', 'x-mcp-header': 'Region' },
          deep: {
            properties: { id: { 'x-mcp-header': 'Deep-Id' }, bad: { 'x-mcp-header': 'a b' } },
          },
        },
      },
    }
    catalogue.add({ items: [definition], hasMore: false }, true)
    const known = catalogue.find('read')
    expect(known?.tool.annotations).toEqual({ readOnlyHint: true })
    expect(Object.keys(known?.tool.properties ?? {})).toEqual(['region', 'deep'])
    expect(known?.mirrored).toEqual([
      { path: ['region'], header: 'mcp-param-region' },
      { path: ['deep', 'id'], header: 'mcp-param-deep-id' },
    ])
  })

  test('a definition of odd shape is a tool with nothing known of it', () => {
    const catalogue = open()
    const odd: JsonObject = { name: 'odd', annotations: [], inputSchema: 'x' }
    catalogue.add({ items: [odd], hasMore: false }, true)
    expect(catalogue.find('odd')?.tool).toMatchObject({ annotations: {}, properties: {} })
  })
})
