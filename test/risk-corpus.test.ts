import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import type { Json } from '../src/core/json/json.ts'
import type { Category } from '../src/core/policy/model.ts'
import { classify } from '../src/core/risk/classify.ts'
import { precedence } from '../src/core/risk/model.ts'
import { signals } from '../src/core/risk/signals/index.ts'

interface Row {
  readonly family: string
  readonly tool: string
  readonly title: string | null
  readonly description: string | null
  readonly properties: readonly string[] | null
  readonly enums: { readonly [property: string]: Json } | null
  readonly annotations: { readonly [hint: string]: Json } | null
  readonly category: Category
  readonly alt: readonly Category[]
  readonly gold: boolean
}

interface Judged {
  readonly row: Row
  readonly got: Category
}

const file = new URL('../../shared/risk/labelled-dev.jsonl', import.meta.url)
const { SALLYPORT_REQUIRE_SHARED } = process.env
const isRequired = SALLYPORT_REQUIRE_SHARED === '1'
const isThere = existsSync(file)
const dangerous: readonly Category[] = ['Execute', 'Destructive', 'Financial']

function judge(row: Row): Judged {
  const property = (name: string): readonly [string, Json] => {
    const choices = row.enums?.[name]
    return [name, choices === undefined ? {} : { type: 'string', enum: choices }]
  }
  const { category } = classify({
    name: row.tool,
    title: row.title,
    description: row.description,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries((row.properties ?? []).map(property)),
    },
    annotations: row.annotations,
  })
  return { row, got: category }
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** Accuracy, macro-F1 and the worst error, over any set of judged rows. */
function measure(judged: readonly Judged[]) {
  const count = (holds: (j: Judged) => boolean): number => judged.filter(holds).length
  const risky = judged.filter(({ row }) => dangerous.includes(row.category))
  const f1 = precedence.map((category) => {
    const both = count(({ row, got }) => row.category === category && got === category)
    const either =
      count(({ row }) => row.category === category) + count(({ got }) => got === category)
    return share(2 * both, either)
  })
  return {
    rows: judged.length,
    strict: share(
      count(({ row, got }) => row.category === got),
      judged.length,
    ),
    lenient: share(
      count(({ row, got }) => row.category === got || row.alt.includes(got)),
      judged.length,
    ),
    macroF1: share(
      f1.reduce((sum, value) => sum + value, 0),
      f1.length,
    ),
    dangerousAsRead: share(risky.filter(({ got }) => got === 'Read').length, risky.length),
  }
}

/** A fifth of the families each: a rule made for one server cannot carry a fold. */
function foldsByFamily(judged: readonly Judged[], folds: number): readonly (readonly Judged[])[] {
  const families = [...new Set(judged.map(({ row }) => row.family))].toSorted()
  const foldOf = new Map(families.map((family, at) => [family, at % folds]))
  return Array.from({ length: folds }, (_, fold) =>
    judged.filter(({ row }) => foldOf.get(row.family) === fold),
  )
}

test('every signal is in the documentation, and no other', () => {
  const page = readFileSync(new URL('../docs/risk.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('## Signals'), page.indexOf('`confidence`'))
  const told = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(told.toSorted()).toEqual(Object.keys(signals).toSorted())
})

test.runIf(isRequired)('the labelled corpus is there where it is required', () => {
  expect(isThere).toBe(true)
})

describe.skipIf(!isThere)(isThere ? 'the labelled corpus' : 'shared/risk is absent', () => {
  const rows = isThere
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Row)
    : []
  const gold = rows.filter((row) => row.gold).map(judge)

  test('hand labels are met in 88 % strictly and 93 % with the acceptable others', ({
    annotate,
  }) => {
    const measured = measure(gold)
    void annotate(JSON.stringify(measured))
    expect(measured.rows).toBeGreaterThan(400)
    expect(measured.strict).toBeGreaterThanOrEqual(0.88)
    expect(measured.lenient).toBeGreaterThanOrEqual(0.93)
  })

  test('at most 1 % of what executes, destroys or pays is called Read', () => {
    expect(measure(gold).dangerousAsRead).toBeLessThanOrEqual(0.01)
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
