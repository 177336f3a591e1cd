/**
 * Runs the official conformance suite directly and through the built program, and prints what differs.
 *
 *   npm run conformance                 everything
 *   npm run conformance -- --only TEXT  what has the text in its id, as `legacy-http@2025-11-25`
 *   npm run conformance -- --write      everything, and writes the baseline and docs/conformance.md
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BASELINE_FILE, type Baseline, readBaseline, rowOf } from './baseline.ts'
import { explanationOf } from './explanations.ts'
import { measure, SUBJECTS } from './measure.ts'
import { PAGE_FILE, pageOf } from './page.ts'
import { tally } from './run-model.ts'
import { SUITE_VERSION } from './suite.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

function save(baseline: Baseline): void {
  writeFileSync(BASELINE_FILE, `${JSON.stringify(baseline, null, 2)}\n`)
  writeFileSync(PAGE_FILE, pageOf(baseline))
}

const subjects = SUBJECTS.filter(({ id, isHere }) => isHere && id.includes(values.only))
if (values.page) save(readBaseline())
else {
  const measured = await measure(subjects, ({ id, direct, through, comparison }) => {
    const count = (run: typeof direct): string => {
      const { scenarios, checks } = tally(run, 'scored')
      return `${scenarios.join('/')} scenarios, ${checks.join('/')} checks`
    }
    const { kept, lost, gained } = comparison
    say(`== ${id}: direct ${count(direct)}; through ${count(through)}`)
    say(`   kept ${kept}, lost ${lost.length}, gained ${gained.length}`)
    for (const [kind, all] of Object.entries({ lost, gained, other: comparison.other })) {
      for (const { scenario, check, direct: before, through: after, error } of all) {
        const line = `${kind} ${scenario} :: ${check}: ${before} -> ${after}`
        const mark = explanationOf(id, line) === undefined ? '?' : ' '
        say(` ${mark} ${line} ${error ?? ''}`)
      }
    }
  })
  if (values.write) {
    const missing = SUBJECTS.filter(({ isHere }) => !isHere).map(({ id }) => id)
    if (missing.length > 0) throw new Error(`not here, so not measured: ${missing.join(', ')}`)
    const rows = new Map(Object.entries(values.only === '' ? {} : readBaseline().rows))
    for (const one of measured) rows.set(one.id, rowOf(one))
    const sorted = SUBJECTS.flatMap(({ id }) => {
      const row = rows.get(id)
      return row === undefined ? [] : [[id, row] as const]
    })
    save({ suite: SUITE_VERSION, rows: Object.fromEntries(sorted) })
  }
}
