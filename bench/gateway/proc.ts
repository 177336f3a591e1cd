/** What Linux tells about processes and CPUs. */
import { readdirSync, readFileSync } from 'node:fs'

/** /proc/stat counts in hundredths of a second. */
const NS_PER_TICK = 10_000_000

/** Reads something of a process; the fallback when the process is gone. */
function read<T>(fallback: T, reading: () => T): T {
  try {
    return reading()
  } catch {
    return fallback
  }
}

const threads = (pid: number): readonly string[] =>
  read([], () => readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`))

/** A process and all that descends from it. */
export function processTree(pid: number): readonly number[] {
  const children = threads(pid).flatMap((thread) =>
    read('', () => readFileSync(`${thread}/children`, 'utf8'))
      .split(' ')
      .filter((word) => word !== ''),
  )
  return [pid, ...children.flatMap((child) => processTree(Number(child)))]
}

/** How long the threads of a process tree have been on a CPU, in nanoseconds. */
export function treeCpuNs(pid: number): number {
  const spent = processTree(pid)
    .flatMap(threads)
    .map((thread) =>
      read(0, () => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0])),
    )
  return spent.reduce((sum, ns) => sum + ns, 0)
}

/** The resident memory of a process tree, in megabytes of 2^20 bytes. */
export function treeMemoryMb(pid: number): number {
  const kilobytes = processTree(pid).map((one) =>
    read(0, () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1]),
    ),
  )
  return kilobytes.reduce((sum, kb) => sum + kb, 0) / 1024
}

/** How long a CPU was busy, and how long it has existed, in nanoseconds. */
export interface CpuTime {
  readonly busyNs: number
  readonly totalNs: number
}

/** The time of one CPU; what the hypervisor took away counts as busy. */
export function cpuTime(cpu: number): CpuTime {
  const line = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = (
    line ?? ''
  )
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + soft + steal
  return { busyNs: busy * NS_PER_TICK, totalNs: (busy + idle + wait) * NS_PER_TICK }
}

/** How many files this process may have open. */
export const openFilesLimit = (): number =>
  Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
