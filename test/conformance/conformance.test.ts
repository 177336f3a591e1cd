import { beforeAll, describe, expect, test } from 'vitest'
import { linesOf, readBaseline } from './baseline.ts'
import { explanationOf } from './explanations.ts'
import { type Measured, measure, SUBJECTS } from './measure.ts'
import { tally } from './run-model.ts'
import { hasSharedDiffer, sharedCount } from './shared-differ.ts'
import { SUITE_VERSION } from './suite.ts'

const isRequired = process.env.SALLYPORT_REQUIRE_SHARED === '1'
const baseline = readBaseline()
const present = SUBJECTS.filter(({ isHere }) => isHere)

let measured: ReadonlyMap<string, Measured>
beforeAll(async () => {
  measured = new Map((await measure(present)).map((one) => [one.id, one]))
})

test('the committed results are of the suite that is installed', () => {
  expect(baseline.suite).toBe(SUITE_VERSION)
})

describe.each(SUBJECTS)('$kind, $revision: $title ($id)', ({ id, isHere, revision }) => {
  test('what it needs is here where it is required', () => {
    const isComplete = isHere && hasSharedDiffer
    expect(isComplete || !isRequired, 'SALLYPORT_REQUIRE_SHARED=1 needs ../shared').toBe(true)
  })

  // Skipped where the shared material does not lie beside the clone.
  test.skipIf(!isHere)('differs from the direct run as committed, and in nothing else', () => {
    const one = measured.get(id)
    const row = baseline.rows[id]
    if (one === undefined || row === undefined) throw new Error('it was never measured')
    const isSteady = (line: string): boolean => explanationOf(id, line)?.isUnsteady !== true
    const lines = linesOf(one.comparison)
    const errors = Object.entries(one.through).flatMap(([name, { errors }]) =>
      Object.entries(errors).map(([check, error]) => `${name} :: ${check}: ${error}`),
    )
    // What both runs lost would be no difference.
    expect(tally(one.direct, 'scored')).toEqual(row.direct.scored)
    expect(lines.filter(isSteady), errors.join('\n')).toEqual(row.differences.filter(isSteady))
    expect(lines.filter((line) => explanationOf(id, line) === undefined)).toEqual([])
  })

  test.skipIf(!isHere || !hasSharedDiffer)('is counted the same by the shared differ', () => {
    const one = measured.get(id)
    if (one === undefined) throw new Error('it was never measured')
    const { kept, lost, gained } = one.comparison
    expect(sharedCount(revision, one.direct, one.through)).toEqual({
      kept,
      lost: lost.length,
      gained: gained.length,
    })
  })
})
