/** How good the risk classifier is on labelled tools, and how fast; prints tables. */
import { parseArgs } from 'node:util'
import { classify } from '../src/core/risk/classify.ts'
import { precedence } from '../src/core/risk/model.ts'
import {
  byFamily,
  calibration,
  confusion,
  falseReads,
  foldsByFamily,
  type Measured,
  measure,
} from './risk/measure.ts'
import { definitionOf, type Judged, judge, judgeBlind, type Row, readRows } from './risk/rows.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    tools: { type: 'string', default: '200000' },
    errors: { type: 'boolean', default: false },
  },
})

const say = (line = ''): void => void process.stdout.write(`${line}\n`)
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
const left = (text: string, width: number): string => text.padEnd(width)
const right = (text: string | number, width: number): string => String(text).padStart(width)

const file = values.rows ?? new URL('../../shared/risk/labelled-dev.jsonl', import.meta.url)
const rows = readRows(file)
if (rows.length === 0) {
  process.stderr.write('no labelled tools: name a file of them with --rows\n')
  process.exit(2)
}
const gold = rows.filter((row) => row.gold)

quality('labelled by hand', gold.map(judge))
quality('labelled by hand, annotations left out', gold.map(judgeBlind))
matrix(gold.map(judge))
const folds = foldsByFamily(gold.map(judge), 5).map(measure)
say('five folds by server family')
for (const [at, fold] of folds.entries()) say(`  ${at + 1}  ${line(fold)}`)
const families = byFamily(gold.map(judge))
say(
  `  mean of ${families.families} families, each once: strict ${percent(families.strict)}, lenient ${percent(families.lenient)}`,
)
say()
say('by confidence')
for (const { from, to, rows: n, strict } of calibration(gold.map(judge)))
  say(`  ${from.toFixed(2)}–${to.toFixed(2)}  ${right(n, 5)} rows  strict ${percent(strict)}`)
say()
annotations('with them', judge)
annotations('without them', judgeBlind)
say()
const rest = rows.filter((row) => !row.gold)
say(`labels that no hand checked: ${line(measure(rest.map(judge)))}`)
if (values.errors) errors(gold.map(judge))
speed(Number(values.tools))

function line(m: Measured): string {
  return `${right(m.rows, 5)} rows  strict ${percent(m.strict)}  lenient ${percent(m.lenient)}  macro-F1 ${(m.macroF1 * 100).toFixed(1)}  dangerous called Read ${percent(m.dangerousAsRead)}`
}

function quality(title: string, judged: readonly Judged[]): void {
  const measured = measure(judged)
  say(`${title}: ${line(measured)}`)
  for (const { category, rows: n, precision, recall, f1 } of measured.byCategory)
    say(
      `  ${left(category, 12)}${right(n, 5)} rows  precision ${percent(precision)}  recall ${percent(recall)}  F1 ${(f1 * 100).toFixed(1)}`,
    )
  say()
}

function matrix(judged: readonly Judged[]): void {
  say(`confusion (rows: the truth, columns: the answer)`)
  say(`  ${left('', 12)}${precedence.map((c) => right(c, 12)).join('')}`)
  for (const [at, counts] of confusion(judged).entries())
    say(`  ${left(precedence[at] ?? '', 12)}${counts.map((n) => right(n, 12)).join('')}`)
  say()
}

function annotations(how: string, by: (row: Row) => Judged): void {
  const { rows: n, share } = falseReads(rows.map(by))
  say(`called Read of ${n} that their server annotates otherwise, ${how}: ${percent(share)}`)
}

function errors(judged: readonly Judged[]): void {
  say()
  for (const { row, got, confidence } of judged)
    if (row.category !== got)
      say(
        `  ${row.tool}: ${row.category}${row.alt.length > 0 ? ` (or ${row.alt.join(', ')})` : ''}, answered ${got} (${confidence})`,
      )
}

/** Definitions as a server sends them, so reading the text counts too. */
function speed(tools: number): void {
  const texts = rows.map((row) => JSON.stringify(definitionOf(row)))
  const round = (count: number) => {
    const start = performance.now()
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) classify(JSON.parse(texts[i % texts.length] ?? '{}'))
    const { user, system } = process.cpuUsage(before)
    return { seconds: (performance.now() - start) / 1000, busy: (user + system) / 1e6 }
  }
  round(5_000)
  const { seconds, busy } = round(tools)
  const million = (spent: number): string => ((spent / tools) * 1e6).toFixed(0)
  say()
  say(
    `${tools} tools parsed and classified in ${seconds.toFixed(1)} s, ${busy.toFixed(1)} s of them on the processor: a million in ${million(seconds)} s (${million(busy)} s)`,
  )
}
