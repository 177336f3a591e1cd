import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = new URL('../docs/protocol.md', import.meta.url)
const text = readFileSync(page, 'utf8')

/** What passes between the eras: the rows of the table, feature first. */
const rows = (/^## What passes$([\s\S]*?)^## /m.exec(text)?.[1] ?? '')
  .split('\n')
  .filter((line) => line.split(' | ').length === 5)
  .slice(1)
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()))

/** The tests that are named: the file and the title, by the key of a cell. */
const tests = new Map(
  [...text.matchAll(/^\[([\w-]+)\]: (\S+) "(.*)"$/gm)].map(
    ([, key = '', file = '', title = '']) => [key, { file, title }] as const,
  ),
)

const CELL = /^\[(passes|bridged|refused)\]\[([\w-]+)\](?:: (.+))?$/
const cells = rows.flatMap(([feature, ...all]) => all.map((cell) => ({ feature, cell })))

test('the table of the protocol has a cell for every feature and pair of eras', () => {
  expect(rows.length).toBeGreaterThan(20)
  expect(cells).toHaveLength(rows.length * 4)
})

test.each(cells)('$feature: $cell names a test that there is', ({ cell }) => {
  const [, word, key = '', note] = CELL.exec(cell) ?? []
  expect(word, cell).toBeDefined()
  // Who is refused is told why.
  if (word === 'refused') expect(note).toBeDefined()
  expect(note ?? '').not.toContain('../')
  const named = tests.get(key)
  expect(named, key).toBeDefined()
  const source = readFileSync(new URL(named?.file ?? '', page), 'utf8')
  const quoted = ["'", '`', '"'].map((quote) => `${quote}${named?.title}${quote}`)
  expect(
    quoted.some((title) => source.includes(title)),
    named?.title,
  ).toBe(true)
})

test('every test that the page names is the proof of a cell', () => {
  const used = cells.map(({ cell }) => CELL.exec(cell)?.[2])
  expect([...tests.keys()].filter((key) => !used.includes(key))).toEqual([])
})
