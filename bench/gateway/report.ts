import { readFileSync } from 'node:fs'
import { cpus, release, type } from 'node:os'
import { callBody } from './call.ts'
import { type Goal, goals, type Measured, projectedMb, ratio } from './goals.ts'
import type { IdleStreams } from './idle-streams.ts'
import { markdownTable, shown } from './markdown.ts'
import { median } from './statistics.ts'
import type { Sample } from './under-load.ts'
import { variantNames, variants } from './variants.ts'

/** Where and how a run was made. */
export interface Setting {
  readonly command: string
  readonly machine: string
  readonly node: string
  readonly date: string
}

/** The setting of this process. */
export function setting(argv: readonly string[]): Setting {
  const [first] = cpus()
  const isVirtual = /^flags\b.*\bhypervisor\b/m.test(cpuInfo())
  const kind = isVirtual ? 'virtual machine' : 'machine'
  return {
    command: ['node bench/run.ts', ...argv].join(' '),
    machine: `${kind} with ${cpus().length} CPUs, ${first?.model ?? 'unknown'}; ${type()} ${release()}`,
    node: process.version,
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  }
}

function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ''
  }
}

/** The whole run in Markdown. */
export function report(
  { command, machine, node, date }: Setting,
  measured: Measured,
  o: { readonly rounds: number; readonly secs: number },
): string {
  const { samples, start, idle } = measured
  const head = [
    `- command: \`${command}\``,
    `- on: ${machine}`,
    `- Node: ${node}`,
    `- date: ${date}`,
  ].join('\n')
  const loads = [...new Set(samples.map(({ conns }) => conns))].map((conns) => {
    const title = `### Under load: ${conns} connections, ${o.rounds === 1 ? 'one round' : `${o.rounds} rounds`} of ${o.secs} s, calls of ${callBody.length} bytes`
    return `${title}\n\n${loadTable(samples.filter((sample) => sample.conns === conns))}`
  })
  const starts =
    start === undefined
      ? []
      : [
          `### Start, median of ${start.starts}\n\n${markdownTable(
            ['from spawning the gateway, on a new data directory, to', 'ms'],
            [
              ['it listens', shown(start.listeningMs)],
              ['its first forwarded call is answered', shown(start.answeredMs)],
            ],
          )}`,
        ]
  const idles = idle === undefined ? [] : [idleTable(idle)]
  const judged = goals(measured)
  const ends = judged.length === 0 ? [] : [goalsTable(judged)]
  return `${[head, ...loads, ...starts, ...idles, ...ends].map((block) => block.trimEnd()).join('\n\n')}\n`
}

function loadTable(samples: readonly Sample[]): string {
  const rows = variantNames.flatMap((name) => {
    const own = samples.filter((sample) => sample.variant === name)
    if (own.length === 0) return []
    const { title, yardstick } = variants[name]
    const middle = (figure: Exclude<keyof Sample, 'variant'>): number =>
      median(own.map((sample) => sample[figure]))
    const to = (figure: 'cpuUs' | 'p50' | 'perSecond'): string =>
      shown(ratio(samples, figure, [name, yardstick]), 2)
    const errors = own.reduce((sum, sample) => sum + sample.errors, 0)
    // The direct variant's process is the upstream, which shares its CPU with the load.
    const isDirect = name === 'direct'
    return [
      [
        title,
        shown(middle('cpuUs'), 1),
        isDirect ? '–' : to('cpuUs'),
        shown(middle('perSecond')),
        to('perSecond'),
        shown(middle('p50')),
        to('p50'),
        shown(middle('p99')),
        shown(middle('memoryMb')),
        shown(errors),
        isDirect ? '–' : shown(middle('others') * 100),
      ],
    ]
  })
  return markdownTable(
    [
      ...['variant', 'CPU µs/call', '× bare', 'calls/s', '× bare', 'p50 µs', '× bare', 'p99 µs'],
      ...['memory MB', 'errors', 'others %'],
    ],
    rows,
  )
}

function idleTable(idle: IdleStreams): string {
  const { streams, memoryBeforeMb, memoryMb } = idle
  const each = ((memoryMb - memoryBeforeMb) * 1024) / streams
  const rows = [
    ['before', shown(memoryBeforeMb), ''],
    [`with ${shown(streams)} streams`, shown(memoryMb), shown(each, 1)],
    ...(streams === 10_000
      ? []
      : [['10,000 streams, projected', shown(projectedMb(idle, 10_000)), '']]),
  ]
  return `### Idle event streams\n\n${markdownTable(['gateway', 'memory MB', 'KB a stream'], rows)}`
}

function goalsTable(judged: readonly Goal[]): string {
  const rows = judged.map(({ what, bound, unit, value, isMet }) => [
    what,
    `${bound} ${unit}`,
    `${shown(value, unit === '×' ? 2 : 0)} ${unit}`,
    isMet ? 'met' : '**missed**',
  ])
  const missed = judged.filter(({ isMet }) => !isMet).map(({ what }) => what)
  const told = missed.length === 0 ? 'All are met.' : `Missed: ${missed.join('; ')}.`
  return `### Goals\n\n${markdownTable(['goal', 'bound', 'measured', ''], rows)}\n${told}`
}
