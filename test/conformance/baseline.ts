import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Comparison, Difference } from './compare.ts'
import type { Measured } from './measure.ts'
import { type Run, type Tally, tally } from './run-model.ts'

/** Where the committed results are. */
export const BASELINE_FILE = fileURLToPath(new URL('baseline.json', import.meta.url))

/** Results of one run, counted. */
export interface Counted {
  readonly scored: Tally
  readonly all: Tally
}

/** What was measured of one subject, as it is committed. */
export interface Row {
  readonly direct: Counted
  readonly through: Counted
  readonly kept: number
  /** `lost scenario :: check: SUCCESS -> FAILURE`. */
  readonly differences: readonly string[]
}

/** The committed results, by the id of the subject. */
export interface Baseline {
  readonly suite: string
  readonly rows: Readonly<Record<string, Row>>
}

/** Reads what is committed. */
export const readBaseline = (): Baseline =>
  JSON.parse(readFileSync(BASELINE_FILE, 'utf8')) as Baseline

/** What is committed of a measurement. */
export const rowOf = ({ direct, through, comparison }: Measured): Row => ({
  direct: counted(direct),
  through: counted(through),
  kept: comparison.kept,
  differences: linesOf(comparison),
})

const counted = (run: Run): Counted => ({ scored: tally(run, 'scored'), all: tally(run, 'all') })

/** Every difference that matters, one line each. What the suite only remarks is not one. */
export const linesOf = ({ lost, gained, other }: Comparison): readonly string[] => [
  ...lost.map((one) => lineOf('lost', one)),
  ...gained.map((one) => lineOf('gained', one)),
  ...other.filter(isJudged).map((one) => lineOf('other', one)),
]

const isJudged = ({ direct, through }: Difference): boolean =>
  [direct, through].some((status) => status === 'FAILURE' || status === 'WARNING')

const lineOf = (kind: string, { scenario, check, direct, through }: Difference): string =>
  `${kind} ${scenario} :: ${check}: ${direct} -> ${through}`
