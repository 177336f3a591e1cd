/** `npm run bench`: what the gateway costs, beside a bare Node proxy; prints Markdown tables. */
import { writeFileSync } from 'node:fs'
import { Bed } from './gateway/bed.ts'
import { BenchError } from './gateway/bench-error.ts'
import { coldStart } from './gateway/cold-start.ts'
import { goals, type Measured } from './gateway/goals.ts'
import { idleStreams, requireOpenFiles } from './gateway/idle-streams.ts'
import { type BenchOptions, help, readOptions } from './gateway/options.ts'
import { report, setting } from './gateway/report.ts'
import { underLoad } from './gateway/under-load.ts'
import { withYardsticks } from './gateway/variants.ts'
import { requireLoadTools } from './gateway/wrk.ts'

const argv = process.argv.slice(2)
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

async function measure(options: BenchOptions): Promise<Measured> {
  const { parts } = options
  // What can't be done is said before anything takes its time.
  if (parts.includes('load')) requireLoadTools()
  if (parts.includes('idle')) requireOpenFiles(options.idle)
  const names = withYardsticks(options.only)
  const samples = parts.includes('load')
    ? await Bed.use({ isPinned: true }, (bed) => underLoad(bed, names, { ...options, tell }))
    : []
  if (parts.includes('start')) tell('starting gateways')
  const start = parts.includes('start') ? await Bed.use({ isPinned: false }, coldStart) : undefined
  if (parts.includes('idle')) tell(`opening ${options.idle} streams`)
  const idle = parts.includes('idle')
    ? await Bed.use({ isPinned: false }, (bed) => idleStreams(bed, options.idle))
    : undefined
  return { samples, start, idle }
}

try {
  const options = readOptions(argv)
  if (options === undefined) process.stdout.write(help)
  else {
    const place = setting(argv)
    const measured = await measure(options)
    process.stdout.write(report(place, measured, options))
    if (options.json !== undefined) {
      const all = { setting: place, options, ...measured, goals: goals(measured) }
      writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`)
    }
  }
} catch (thrown) {
  if (!(thrown instanceof BenchError)) throw thrown
  tell(`bench: ${thrown.message}`)
  process.exitCode = 2
}
