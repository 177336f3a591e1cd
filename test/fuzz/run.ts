import { parseArgs } from 'node:util'
import { keep, readCorpus } from './corpus.ts'
import { fuzz } from './fuzz.ts'
import { targets } from './targets.ts'

const USAGE = `npm run fuzz -- [options]

  --secs N      seconds per target (default 60)
  --target T    only this target: ${targets.map((t) => t.name).join(', ')}
  --seed N      what the mutations follow from (default 1)
  --keep        put inputs of a new kind into test/fuzz/corpus

Exit 0 when everything held, 1 when an input broke something.
`

/** Runs the targets one after the other; true when everything held. */
function main(): boolean {
  const { values } = parseArgs({
    options: {
      secs: { type: 'string', default: '60' },
      target: { type: 'string' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const chosen = targets.filter((t) => values.target === undefined || t.name === values.target)
  const secs = Number(values.secs)
  const seed = Number(values.seed)
  if (values.help || chosen.length === 0 || !(secs > 0) || !Number.isSafeInteger(seed)) {
    process.stdout.write(USAGE)
    return values.help
  }
  let isGood = true
  for (const target of chosen) {
    const corpus = readCorpus(target)
    const end = performance.now() + secs * 1000
    const report = fuzz(target, corpus, { seed, isOver: () => performance.now() >= end })
    process.stdout.write(
      `${target.name}: ${report.runs} runs, ${report.kinds} kinds of outcome, ` +
        `${report.found.length} new, corpus ${corpus.length}, seed ${seed}\n`,
    )
    if (values.keep) keep(target, report.found)
    if (report.broken === undefined) continue
    isGood = false
    const { input, reason } = report.broken
    process.stdout.write(`${target.name} BROKEN: ${reason}\n  by ${JSON.stringify(input)}\n`)
  }
  return isGood
}

process.exitCode = main() ? 0 : 1
