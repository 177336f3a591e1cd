import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { call } from './ask.ts'
import { type Bed, cpus } from './bed.ts'
import { BenchError } from './bench-error.ts'
import type { Listening } from './children.ts'
import { cpuTime, treeCpuNs, treeMemoryMb } from './proc.ts'
import { rotated } from './statistics.ts'
import { type Variant, type VariantName, variants } from './variants.ts'
import { type LoadResult, load, writeScript } from './wrk.ts'

/** What one variant came to in one round. */
export interface Sample extends LoadResult {
  readonly variant: VariantName
  readonly conns: number
  readonly round: number
  /** On-CPU time of the process tree for one request. */
  readonly cpuUs: number
  readonly memoryMb: number
  /** The share of the measured CPU that others took. */
  readonly others: number
}

/** A round is disturbed when others take more of a CPU than this. */
const QUIET = 0.1
const QUIET_WAIT_MS = 2000
const WARM_UP_SECS = 2

interface Loaded {
  readonly name: VariantName
  readonly pid: number
  readonly url: string
  readonly script: string
}

/** Puts the variants under load, round by round in rotated order; every process stays up throughout. */
export async function underLoad(
  bed: Bed,
  names: readonly VariantName[],
  o: {
    readonly rounds: number
    readonly secs: number
    readonly conns: readonly number[]
    readonly tell: (line: string) => void
  },
): Promise<readonly Sample[]> {
  const { loaded, measured } = await startAll(bed, names)
  const samples: Sample[] = []
  for (const conns of o.conns) {
    o.tell(`${conns} connections: warming up`)
    for (const one of loaded) await load({ ...one, conns, secs: WARM_UP_SECS, cpu: cpus.load })
    for (let round = 0; round < o.rounds; round++) {
      o.tell(`${conns} connections: round ${round + 1} of ${o.rounds}`)
      for (const one of rotated(loaded, round)) {
        const figures = await sample(one, measured, { conns, secs: o.secs })
        samples.push({ variant: one.name, round, conns, ...figures })
      }
    }
  }
  return samples
}

/** Starts what the variants need, and makes sure that each answers what it should. */
async function startAll(
  bed: Bed,
  names: readonly VariantName[],
): Promise<{ readonly loaded: readonly Loaded[]; readonly measured: readonly number[] }> {
  const started = new Map<Variant['process'], Listening>([['upstream', bed.upstream]])
  const loaded: Loaded[] = []
  for (const name of names) {
    const variant: Variant = variants[name]
    const running = started.get(variant.process) ?? (await start(bed, variant.process))
    started.set(variant.process, running)
    const path = variant.process === 'upstream' || variant.process === 'bare' ? '' : '/mcp'
    const url = `${running.url}${path}/${variant.result}`
    const token = bed.tokens[variant.result]
    await requireAnswer(name, url, token)
    const script = writeScript(join(bed.folder, `${name}.lua`), token)
    loaded.push({ name, pid: running.pid, url, script })
  }
  const measured = [...started].filter(([name]) => name !== 'upstream').map(([, { pid }]) => pid)
  return { loaded, measured }
}

function start(bed: Bed, name: Variant['process']): Promise<Listening> {
  if (name === 'upstream') return Promise.resolve(bed.upstream)
  return name === 'bare' ? bed.bareProxy() : bed.gate(name, { cpu: cpus.measured })
}

async function requireAnswer(name: VariantName, url: string, token: string): Promise<void> {
  const { status, text } = await call(url, token)
  if (status !== 200 || !text.includes(variants[name].answer))
    throw new BenchError(`${name} answers something else (status ${status}); is dist/ up to date?`)
}

type Figures = Omit<Sample, 'variant' | 'round' | 'conns'>

/** One load of one variant; when others disturbed it, the quieter one of two. */
async function sample(
  one: Loaded,
  measured: readonly number[],
  o: { readonly conns: number; readonly secs: number },
): Promise<Figures> {
  await untilQuiet()
  const first = await measure(one, measured, o)
  if (first.others <= QUIET) return first
  await untilQuiet()
  const second = await measure(one, measured, o)
  return second.others < first.others ? second : first
}

async function measure(
  one: Loaded,
  measured: readonly number[],
  o: { readonly conns: number; readonly secs: number },
): Promise<Figures> {
  const ours = (): number => measured.reduce((sum, pid) => sum + treeCpuNs(pid), 0)
  const before = { cpu: cpuTime(cpus.measured), ours: ours(), one: treeCpuNs(one.pid) }
  const result = await load({ ...one, ...o, cpu: cpus.load })
  const after = { cpu: cpuTime(cpus.measured), ours: ours(), one: treeCpuNs(one.pid) }
  const busy = after.cpu.busyNs - before.cpu.busyNs - (after.ours - before.ours)
  return {
    ...result,
    cpuUs: (after.one - before.one) / 1000 / result.requests,
    memoryMb: treeMemoryMb(one.pid),
    others: Math.max(0, busy) / (after.cpu.totalNs - before.cpu.totalNs),
  }
}

/** Waits until nobody uses much of our CPUs; not for long, since some machines never rest. */
async function untilQuiet(): Promise<void> {
  const end = performance.now() + QUIET_WAIT_MS
  for (;;) {
    const before = [cpuTime(cpus.measured), cpuTime(cpus.load)]
    await delay(200)
    const after = [cpuTime(cpus.measured), cpuTime(cpus.load)]
    const isQuiet = after.every(({ busyNs, totalNs }, i) => {
      const { busyNs: busyThen = 0, totalNs: then = 0 } = before[i] ?? {}
      return busyNs - busyThen < QUIET * (totalNs - then)
    })
    if (isQuiet || performance.now() > end) return
  }
}
