import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json/json.ts'
import { Catalogue } from './catalogue.ts'

const open = (): Catalogue =>
  new Catalogue('files', (definition) => ({
    category: String(definition.name).startsWith('read') ? 'Read' : 'Write',
    severity: 'Low',
  }))
const items = (names: readonly string[]) => names.map((name): JsonObject => ({ name }))

/** Has the catalogue take in one reading of its tools, page by page; `...` leaves it open. */
function list(catalogue: Catalogue, pages: readonly (readonly string[] | '...')[], reading = 'r') {
  for (const [i, names] of pages.entries())
    if (names !== '...')
      catalogue.add('tools/list', items(names), {
        reading,
        isFirst: i === 0,
        isLast: i === pages.length - 1,
      })
}
const whole = { reading: 'r', isFirst: true, isLast: true }

describe('the catalogue of a server', () => {
  test('knows what was listed, exactly by its name', () => {
    const catalogue = open()
    list(catalogue, [['read', 'write']])
    expect(catalogue.find('read')?.tool).toMatchObject({ isAdvertised: true, category: 'Read' })
    for (const other of ['Read', 'read ', 'reаd', '__proto__', 'constructor', ''])
      expect(catalogue.find(other)).toBeUndefined()
  })

  test('tells a tool that is another than when it was first seen, in anything', () => {
    const tool = (more: JsonObject): JsonObject => ({
      name: 't',
      description: 'sends',
      inputSchema: { type: 'object', properties: { to: { type: 'string' } } },
      ...more,
    })
    const seen = (...definitions: readonly JsonObject[]): boolean => {
      const catalogue = open()
      for (const definition of definitions) catalogue.add('tools/list', [definition], whole)
      return catalogue.hasDrifted('t')
    }
    expect(seen(tool({}))).toBe(false)
    const { name: _, ...rest } = tool({})
    expect(seen(tool({}), { ...rest, name: 't' })).toBe(false)
    for (const more of [
      { description: 'sends, and copies' },
      { annotations: { readOnlyHint: true } },
      { inputSchema: { type: 'object', properties: { to: { type: 'string', default: 'x' } } } },
    ])
      expect(seen(tool({}), tool(more))).toBe(true)
    // Gone for a while and back as another is a change too; back as it was is none.
    expect(seen(tool({}), { name: 'other' }, tool({ title: 'new' }))).toBe(true)
    expect(seen(tool({}), tool({ title: 'new' }), tool({}))).toBe(false)
    expect(open().hasDrifted('t')).toBe(false)
  })

  test('is complete with the last page, and not before', () => {
    const catalogue = open()
    list(catalogue, [['a'], '...'])
    expect(catalogue.isComplete).toBe(false)
    expect(catalogue.listed('tools/list')).toBeUndefined()
    expect(catalogue.find('a')).toBeDefined()
    list(catalogue, [['a'], ['b']])
    expect(catalogue.isComplete).toBe(true)
    expect(catalogue.listed('tools/list')).toEqual(['a', 'b'])
    expect(catalogue.find('b')).toBeDefined()
  })

  test('forgets what a whole new list leaves out', () => {
    const catalogue = open()
    list(catalogue, [['a', 'b']])
    list(catalogue, [['b'], '...'])
    expect(catalogue.find('a')).toBeDefined()
    list(catalogue, [['b'], ['c']])
    expect(catalogue.find('a')).toBeUndefined()
    expect(catalogue.find('c')).toBeDefined()
  })

  test('a later page alone replaces nothing', () => {
    const catalogue = open()
    list(catalogue, [['a', 'b']])
    list(catalogue, ['...', ['c']])
    for (const name of ['a', 'b', 'c']) expect(catalogue.find(name)).toBeDefined()
    expect(catalogue.listed('tools/list')).toEqual(['a', 'b'])
  })

  test('clients that page through the list at the same time do not cut each other short', () => {
    const catalogue = open()
    list(catalogue, [['a'], ['b'], '...'], 'one')
    list(catalogue, [['a'], '...'], 'other')
    list(catalogue, ['...', '...', ['c']], 'one')
    for (const name of ['a', 'b', 'c']) expect(catalogue.find(name)).toBeDefined()
    expect(catalogue.listed('tools/list')).toEqual(['a', 'b', 'c'])
  })

  test('an old reading that is ended late brings no old definition back', () => {
    const catalogue = open()
    const defined = (readOnlyHint: boolean): JsonObject => ({
      name: 'a',
      annotations: { readOnlyHint },
    })
    const first = { reading: 'old', isFirst: true, isLast: false }
    catalogue.add('tools/list', [defined(true)], first)
    catalogue.add('tools/list', [defined(false)], { ...whole, reading: 'new' })
    catalogue.add('tools/list', items(['b']), { ...first, isFirst: false, isLast: true })
    expect(catalogue.find('a')?.tool.annotations).toEqual({ readOnlyHint: false })
  })

  test('of two tools of one name on a page the first counts', () => {
    const catalogue = open()
    const twice: JsonObject[] = [{ name: 'a', annotations: { n: 1 } }, { name: 'a' }]
    catalogue.add('tools/list', twice, whole)
    expect(catalogue.find('a')?.tool.annotations).toEqual({ n: 1 })
  })

  test('knows the names of every other list, until the server says that it changed', () => {
    const catalogue = open()
    catalogue.add('resources/list', [{ uri: 'file:///a' }, { name: 'no uri' }], whole)
    expect(catalogue.listed('resources/list')).toEqual(['file:///a'])
    expect(catalogue.listed('prompts/list')).toBeUndefined()
    catalogue.forget('resources/list')
    expect(catalogue.listed('resources/list')).toBeUndefined()
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
    catalogue.add('tools/list', [{ title: 'x' }, { name: 1 }, { name: 'a' }], whole)
    expect(catalogue.find('1')).toBeUndefined()
    expect(catalogue.find('a')).toBeDefined()
  })

  test('holds so many tools and no more, however many are listed', () => {
    const catalogue = open()
    for (let i = 0; i < 30; i++)
      catalogue.add('tools/list', items(Array.from({ length: 1000 }, (_, n) => `t-${i}-${n}`)), {
        ...whole,
        isFirst: i === 0,
        isLast: false,
      })
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
    catalogue.add('tools/list', [definition], whole)
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
    catalogue.add('tools/list', [odd], whole)
    expect(catalogue.find('odd')?.tool).toMatchObject({ annotations: {}, properties: {} })
  })
})
