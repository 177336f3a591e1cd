import { parseArgs } from 'node:util'
import { BenchError } from './bench-error.ts'
import { type VariantName, variantNames } from './variants.ts'

/** What can be measured. */
export const parts = ['load', 'start', 'idle'] as const
export type Part = (typeof parts)[number]

/** What one run of the benchmark measures. */
export interface BenchOptions {
  readonly parts: readonly Part[]
  readonly rounds: number
  readonly secs: number
  readonly conns: readonly number[]
  readonly only: readonly VariantName[]
  readonly idle: number
  readonly json: string | undefined
}

/** What `--help` prints. */
export const help = `Measures what the gateway costs, beside a bare Node proxy; prints Markdown tables.

usage: node bench/run.ts [${parts.join('|')}]... [flags]     (all parts, when none is named)

  load   CPU per call, calls per second and latency of every variant, in paired rounds
  start  from spawning the gateway to the answer of the first call it forwards
  idle   memory of idle event streams through the gateway

  --rounds N       rounds of load (default 5)
  --secs N         length of one variant's load in a round (default 3)
  --conns N,...    connections that load at the same time, each in a table of its own (default 16)
  --only NAME,...  only these variants, and their yardsticks; without a part named, only load
                   ${variantNames.join(' ')}
  --idle N         idle streams (default 2000)
  --json FILE      writes every figure of every round to FILE besides

Needs Linux with two CPUs, and for load also \`wrk\` and \`taskset\`. Run \`npm run build\` first.
Example: node bench/run.ts load --rounds 7 --secs 2 --only rules,denied
`

/**
 * The options of a command line; undefined when help is asked for.
 * @throws BenchError which names the wrong word.
 */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values, positionals } = parsed(argv)
  if (values.help === true) return undefined
  const only = values.only === undefined ? variantNames : listOf('only', values.only, variantNames)
  const named = positionals.map((word) => oneOf('part', word, parts))
  const implied = values.only === undefined ? parts : (['load'] as const)
  return {
    parts: named.length === 0 ? implied : named,
    rounds: count('rounds', values.rounds ?? '5'),
    secs: count('secs', values.secs ?? '3'),
    conns: (values.conns ?? '16').split(',').map((word) => count('conns', word)),
    only,
    idle: count('idle', values.idle ?? '2000'),
    json: values.json,
  }
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        rounds: text,
        secs: text,
        conns: text,
        only: text,
        idle: text,
        json: text,
      },
    })
  } catch (thrown) {
    const [reason] = (thrown instanceof Error ? thrown.message : 'wrong usage').split('\n')
    throw new BenchError(`${reason}; \`node bench/run.ts --help\` shows how`)
  }
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new BenchError(`\`--${flag}\` must be a whole number from 1 to 999999, not \`${text}\``)
  return Number(text)
}

function listOf<T extends string>(flag: string, text: string, known: readonly T[]): readonly T[] {
  return text.split(',').map((word) => oneOf(`--${flag}`, word, known))
}

function oneOf<T extends string>(what: string, word: string, known: readonly T[]): T {
  const found = known.find((name) => name === word)
  if (found === undefined)
    throw new BenchError(`${what}: unknown \`${word}\`; known: ${known.join(', ')}`)
  return found
}
