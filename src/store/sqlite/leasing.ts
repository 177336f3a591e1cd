import type { Instant } from '../../core/instant.ts'

/** How long an unspent lease is kept from the other processes. */
export const LEASE_MS = 100
/** Calls on one counter within `LEASE_MS` that make a lease worth its while. */
const BUSY_CALLS = 8
/** A lease takes at most this part of what remains, and is not taken for fewer than `BUSY_CALLS` calls. */
const PART = 16n

/** A part of a counter's window that this process holds and may spend without asking. */
export interface Holding {
  readonly key: string
  readonly start: Instant
  readonly resetsAt: Instant
  readonly keepUntil: Instant
  readonly max: bigint
  /** What the others have left, as of when it was taken. */
  readonly elsewhere: bigint
  /** True when the store knows of it, so that other processes wait for it. */
  readonly isLease: boolean
  /** By the monotonic clock. */
  readonly takenAt: number
  left: bigint
  calls: number
}

/** How often a counter was asked for lately. */
interface Pace {
  since: number
  calls: number
  before: number
}

/** The pace of every counter that was asked for lately; what the size of a lease follows. */
export class Paces {
  readonly #paces = new Map<string, Pace>()

  /** Notes that `calls` were made on the counter up to now. */
  note(key: string, calls: number, now: number): void {
    const pace = this.#paces.get(key)
    if (pace === undefined) {
      this.#paces.set(key, { since: now, calls, before: 0 })
      return
    }
    const elapsed = now - pace.since
    if (elapsed >= LEASE_MS) {
      pace.before = elapsed < 2 * LEASE_MS ? pace.calls : 0
      pace.calls = 0
      pace.since = now
    }
    pace.calls += calls
  }

  /** How much to take beside `amount`, when `remaining` is left after it; 0n for a quiet or nearly spent counter. */
  chunk(key: string, amount: bigint, remaining: bigint): bigint {
    const pace = this.#paces.get(key)
    const calls = pace === undefined ? 0 : Math.max(pace.calls, pace.before)
    if (calls < BUSY_CALLS || amount <= 0n) return 0n
    const wanted = amount * BigInt(calls)
    const most = remaining / PART
    if (most < amount * BigInt(BUSY_CALLS)) return 0n
    return wanted < most ? wanted : most
  }

  /** Forgets counters that were quiet for a while. */
  prune(now: number): void {
    for (const [key, pace] of this.#paces)
      if (now - pace.since > 10 * LEASE_MS) this.#paces.delete(key)
  }
}
