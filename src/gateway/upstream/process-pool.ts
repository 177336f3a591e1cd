import type { Clock } from '../../core/ports.ts'

/** Something with a process, that can be asked to end. */
export interface Pooled {
  isIdle(): boolean
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
}

/** The bounds of a pool. */
export interface PoolBounds {
  readonly maxProcesses: number
  readonly idleMs: number
}

/** What a pooled thing tells its pool. */
export interface PoolTies {
  onUse(): void
  /** Its process has ended, and it holds a place no more. */
  onEnded(): void
}

/** All processes of one upstream: their number is bounded, and those that nobody uses are ended. */
export interface ProcessPool {
  isFull(): boolean
  add<P extends Pooled>(make: (ties: PoolTies) => P): P
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
}

const MIN_SWEEP_MS = 10
const MAX_SWEEP_MS = 30_000

/** An empty pool. */
export function createProcessPool(bounds: PoolBounds, clock: Clock): ProcessPool {
  const usedAt = new Map<Pooled, number>()

  const sweep = (): void => {
    const now = clock.now()
    for (const [one, at] of usedAt)
      if (now - at >= bounds.idleMs && one.isIdle()) void one.close().catch(() => {})
  }
  const interval = Math.max(MIN_SWEEP_MS, Math.min(MAX_SWEEP_MS, bounds.idleMs / 4))
  const timer = setInterval(sweep, interval).unref()

  return {
    isFull: () => usedAt.size >= bounds.maxProcesses,
    add(make) {
      let made: Pooled | undefined
      let hasEnded = false
      const process = make({
        onUse() {
          if (made !== undefined && !hasEnded) usedAt.set(made, clock.now())
        },
        onEnded() {
          hasEnded = true
          if (made !== undefined) usedAt.delete(made)
        },
      })
      made = process
      if (!hasEnded) usedAt.set(process, clock.now())
      return process
    },
    signal(signal) {
      for (const one of usedAt.keys()) one.signal(signal)
    },
    async close() {
      clearInterval(timer)
      await Promise.all([...usedAt.keys()].map((one) => one.close()))
    },
  }
}
