import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { apiErrors } from '../src/core/contract/problem.ts'
import { catalogue } from '../src/core/errors.ts'

const text = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const [, endpoint = '', api = ''] = text.split(/^## .*$/m)

/** The rows of a table that begin with a name in backticks, as their cells. */
const rows = (section: string): string[][] =>
  section
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

test('every error of the catalogue is in docs/errors.md, with its codes, and no other', () => {
  const documented = rows(endpoint).map(([name, http, rpc]) => [name, Number(http), Number(rpc)])
  const known = Object.entries(catalogue).map(([code, e]) => [`\`${code}\``, e.http, e.rpc])
  expect(documented.toSorted()).toEqual(known.toSorted())
})

test('every error of the admin API is in docs/errors.md, with its status, and no other', () => {
  const documented = rows(api).map(([name, http]) => [name, Number(http)])
  const known = Object.entries(apiErrors).map(([code, e]) => [`\`${code}\``, e.status])
  expect(documented.toSorted()).toEqual(known.toSorted())
})

test('every row says when it happens and what to do', () => {
  for (const row of [...rows(endpoint), ...rows(api)])
    for (const cell of row) expect(cell, row[0]).not.toBe('')
})
