import type { ColdStart } from './cold-start.ts'
import type { IdleStreams } from './idle-streams.ts'
import { pairedRatio } from './statistics.ts'
import type { Sample } from './under-load.ts'
import type { VariantName } from './variants.ts'

/** Everything that one run measured; what it did not is undefined or empty. */
export interface Measured {
  readonly samples: readonly Sample[]
  readonly start: ColdStart | undefined
  readonly idle: IdleStreams | undefined
}

/** A bound that we set ourselves, and where a run stands to it. */
export interface Goal {
  readonly what: string
  readonly bound: string
  readonly unit: '×' | 'ms' | 'MB'
  readonly value: number
  readonly isMet: boolean
}

/** A figure of one variant over that of another, in the same round and with as many connections. */
export function ratio(
  samples: readonly Sample[],
  figure: 'cpuUs' | 'p50' | 'perSecond',
  [variant, yardstick]: readonly [VariantName, VariantName],
): number {
  const of = (name: VariantName) =>
    samples
      .filter((sample) => sample.variant === name)
      .map((sample) => ({ round: sample.round, value: sample[figure] }))
  return pairedRatio(of(variant), of(yardstick))
}

/** What a number of idle streams would take, at the cost of each that was measured. */
export const projectedMb = (idle: IdleStreams, streams: number): number =>
  idle.memoryBeforeMb + ((idle.memoryMb - idle.memoryBeforeMb) / idle.streams) * streams

const most = (what: string, unit: Goal['unit'], value: number, bound: number): Goal => ({
  what,
  bound: `≤ ${bound}`,
  unit,
  value,
  isMet: value <= bound,
})

const less = (what: string, unit: Goal['unit'], value: number, bound: number): Goal => ({
  what,
  bound: `< ${bound}`,
  unit,
  value,
  isMet: value < bound,
})

/** Our goals, judged by the smallest number of connections that was measured; unmeasured ones are left out. */
export function goals({ samples, start, idle }: Measured): readonly Goal[] {
  const conns = Math.min(...samples.map((sample) => sample.conns))
  const judged = samples.filter((sample) => sample.conns === conns)
  const throughput = ratio(judged, 'perSecond', ['gate-64k', 'bare-64k'])
  const all: readonly Goal[] = [
    most(
      'ten predicates: CPU, to the bare proxy',
      '×',
      ratio(judged, 'cpuUs', ['rules', 'bare']),
      1.35,
    ),
    most(
      'ten predicates: p50, to the bare proxy',
      '×',
      ratio(judged, 'p50', ['rules', 'bare']),
      1.25,
    ),
    most(
      'and a large limit: CPU, to the bare proxy',
      '×',
      ratio(judged, 'cpuUs', ['limit', 'bare']),
      1.6,
    ),
    less(
      'a denied call: CPU, to a forwarded one',
      '×',
      ratio(judged, 'cpuUs', ['denied', 'rules']),
      0.5,
    ),
    most(
      'a server with sessions: CPU, to a stateless one',
      '×',
      ratio(judged, 'cpuUs', ['bridged', 'rules']),
      2,
    ),
    {
      what: '64 KB results: calls per second, to the bare proxy',
      bound: '≥ 0.9',
      unit: '×',
      value: throughput,
      isMet: throughput >= 0.9,
    },
    less('start to the first forwarded call', 'ms', start?.answeredMs ?? Number.NaN, 400),
    less(
      `10,000 idle streams, projected from ${idle?.streams.toLocaleString('en-US')}`,
      'MB',
      idle === undefined ? Number.NaN : projectedMb(idle, 10_000),
      400,
    ),
  ]
  return all.filter(({ value }) => Number.isFinite(value))
}
