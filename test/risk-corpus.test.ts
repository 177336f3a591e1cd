import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { falseReads, foldsByFamily, measure } from '../bench/risk/measure.ts'
import { judge, readRows } from '../bench/risk/rows.ts'
import { attacks } from '../src/core/risk/attacks.ts'
import { checks } from '../src/core/risk/findings/index.ts'
import { reachChecks } from '../src/core/risk/findings/reach.ts'
import { stackChecks } from '../src/core/risk/findings/servers.ts'
import { signals } from '../src/core/risk/signals/index.ts'

const file = new URL('../../shared/risk/labelled-dev.jsonl', import.meta.url)
const { SALLYPORT_REQUIRE_SHARED } = process.env
const isRequired = SALLYPORT_REQUIRE_SHARED === '1'
const isThere = existsSync(file)

test('every signal is in the documentation, and no other', () => {
  const page = readFileSync(new URL('../docs/risk.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('## Signals'), page.indexOf('`confidence`'))
  const told = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(told.toSorted()).toEqual(Object.keys(signals).toSorted())
})

test('every check and every attack pattern is in the documentation, and no other', () => {
  const page = readFileSync(new URL('../docs/risk.md', import.meta.url), 'utf8')
  const idsUnder = (heading: string): readonly (string | undefined)[] => {
    const from = page.slice(page.indexOf(`## ${heading}`))
    const part = from.slice(0, from.indexOf('\n## ', 4))
    return [...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, id]) => id).toSorted()
  }
  const known = [...Object.keys(checks), ...Object.keys(stackChecks), ...Object.keys(reachChecks)]
  expect(idsUnder('Findings')).toEqual(known.toSorted())
  expect(idsUnder('Attack patterns')).toEqual(Object.keys(attacks).toSorted())
})

test.runIf(isRequired)('the labelled corpus is there where it is required', () => {
  expect(isThere).toBe(true)
})

describe.skipIf(!isThere)(isThere ? 'the labelled corpus' : 'shared/risk is absent', () => {
  const rows = readRows(file)
  const gold = rows.filter((row) => row.gold).map(judge)

  test('hand labels are met in 94 % strictly and 97 % with the acceptable others, macro-F1 94', ({
    annotate,
  }) => {
    const measured = measure(gold)
    void annotate(JSON.stringify(measured))
    expect(measured.rows).toBeGreaterThan(400)
    expect(measured.strict).toBeGreaterThanOrEqual(0.94)
    expect(measured.lenient).toBeGreaterThanOrEqual(0.97)
    expect(measured.macroF1).toBeGreaterThanOrEqual(0.94)
  })

  test('at most 0.5 % of what executes, destroys or pays is called Read', () => {
    expect(measure(gold).dangerousAsRead).toBeLessThanOrEqual(0.005)
  })

  test('at most 4 % of what servers annotate as more than reading is called Read', () => {
    const { rows: annotated, share } = falseReads(rows.map(judge))
    expect(annotated).toBeGreaterThan(100)
    expect(share).toBeLessThanOrEqual(0.04)
  })

  test('no fifth of the server families falls far below the whole', ({ annotate }) => {
    const folds = foldsByFamily(gold, 5).map(measure)
    void annotate(JSON.stringify(folds))
    for (const fold of folds) {
      expect(fold.rows).toBeGreaterThan(20)
      expect(fold.lenient).toBeGreaterThanOrEqual(0.9)
    }
  })

  test('the labels that no hand checked agree in 85 %', () => {
    expect(measure(rows.filter((row) => !row.gold).map(judge)).strict).toBeGreaterThanOrEqual(0.85)
  })
})
