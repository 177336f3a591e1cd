import type { Instant } from '../../core/instant.ts'
import type { Demand } from '../../core/quota/demand.ts'
import { windowAt, windowOf } from '../../core/quota/windows/index.ts'
import { STEP_BACK_MS } from '../steady-instant.ts'
import type { Holding } from './leasing.ts'
import { LEASE_MS, Paces } from './leasing.ts'
import type { Ledger } from './ledger.ts'
import type { Miss, Taken, Taker } from './taker.ts'
import { bounded, fits, isHopeless } from './taker.ts'

const isWithin = (holding: Holding, now: Instant): boolean =>
  holding.start <= now && now < holding.resetsAt

/**
 * Fixed windows: a row per counter and window, and what this process holds of it in memory. What is
 * held is counted as used in the store from the moment it is taken, so no crash and no other process
 * can make the count too small.
 */
export class FixedTaker implements Taker {
  readonly #ledger: Ledger
  readonly #holder: string
  readonly #paces = new Paces()
  readonly #holdings = new Map<string, Holding>()
  /** Counters that were spent when last asked, with the window that was. */
  readonly #spent = new Map<string, Instant>()
  /** What the present transaction did to the holdings, to be undone with it. */
  #undo: (() => void)[] = []
  #serial = 0

  constructor(ledger: Ledger, holder: string) {
    this.#ledger = ledger
    this.#holder = holder
  }

  /** Takes from what this process holds, without the store; undefined when that does not do. */
  takeHeld(demand: Demand, now: Instant): { taken: Taken; remaining: bigint } | undefined {
    const holding = this.#holdings.get(demand.key)
    if (
      holding === undefined ||
      holding.left < demand.amount ||
      holding.max !== demand.max ||
      !isWithin(holding, now) ||
      demand.algorithm !== 'fixed'
    )
      return undefined
    holding.left -= demand.amount
    holding.calls += 1
    return { taken: takenFrom(holding, demand.amount), remaining: holding.elsewhere + holding.left }
  }

  /**
   * A refusal found by reading alone, for a counter that was spent when last asked: a caller that
   * keeps calling must not take the write lock each time. Undefined when the transaction has to tell.
   */
  missSpent(demand: Demand, now: Instant): Miss | undefined {
    const start = this.#spent.get(demand.key)
    if (start === undefined || demand.algorithm !== 'fixed' || this.#holdings.has(demand.key))
      return undefined
    const span = windowAt(demand.window ?? 'minute', now)
    const used = span.start === start ? this.#ledger.used(demand.key, start) : 0n
    const isSpent =
      span.start === start &&
      !fits(used, demand) &&
      !isHopeless(demand) &&
      this.#ledger.foreignLeases(demand.key, start, this.#holder).length === 0
    if (isSpent) return { isMiss: true, used, resetsAt: span.resetsAt, awaited: undefined }
    this.#spent.delete(demand.key)
    return undefined
  }

  /** Puts back what `takeHeld` took in the same breath. */
  putBack(taken: Taken): void {
    const holding = this.#holdings.get(taken.key)
    if (holding !== undefined) holding.left += taken.amount
  }

  take(demand: Demand, now: Instant): { taken: Taken; remaining: bigint } | Miss {
    const held = this.takeHeld(demand, now)
    if (held !== undefined) {
      this.#undo.push(() => this.putBack(held.taken))
      return held
    }
    const window = demand.window ?? 'minute'
    const { start, resetsAt } = windowAt(window, now)
    const { key, amount, max } = demand
    if (isHopeless(demand))
      return { isMiss: true, used: this.used(demand, now), resetsAt: undefined, awaited: undefined }
    const before = this.#holdings.get(key)
    if (before !== undefined) this.#giveUp(before)
    const used = this.#ledger.used(key, start)
    if (!fits(used, demand)) {
      const leases = this.#ledger.foreignLeases(key, start, this.#holder)
      const awaited = leases.length === 0 ? undefined : { start, leases }
      if (awaited === undefined) this.#spent.set(key, start)
      return { isMiss: true, used, resetsAt, awaited }
    }
    const keepUntil = resetsAt + windowOf(window).longestMs + STEP_BACK_MS
    const remaining = bounded(max) - used - amount
    const mono = performance.now()
    this.#paces.note(key, 1 + (before?.calls ?? 0), mono)
    const chunk = this.#paces.chunk(key, amount, remaining)
    const row = { key, start, keepUntil }
    this.#ledger.add(row, amount + chunk)
    if (chunk > 0n)
      this.#hold({ ...row, resetsAt, max, elsewhere: remaining - chunk, isLease: true }, chunk)
    const taken: Taken = {
      algorithm: 'fixed',
      amount,
      endsAt: resetsAt,
      max,
      slot: '',
      ...row,
    }
    return { taken, remaining }
  }

  undo(taken: Taken): void {
    const holding = this.#holdings.get(taken.key)
    if (holding?.start === taken.start) {
      holding.left += taken.amount
      this.#undo.push(() => {
        holding.left -= taken.amount
      })
    } else this.#ledger.add(taken, -taken.amount)
  }

  release(taken: Taken): void {
    this.#ledger.add(taken, -taken.amount)
  }

  /** Releases into what this process holds; false when it holds nothing of that window. */
  releaseHeld(taken: Taken): boolean {
    const holding = this.#holdings.get(taken.key)
    if (holding?.start !== taken.start) return false
    holding.left += taken.amount
    return true
  }

  used(demand: Demand, now: Instant): bigint {
    const { start } = windowAt(demand.window ?? 'minute', now)
    const holding = this.#holdings.get(demand.key)
    const held = holding?.start === start ? holding.left : 0n
    return this.#ledger.used(demand.key, start) - held
  }

  /** True when something is held that is to go back. */
  holdsAny(): boolean {
    return this.#holdings.size > 0
  }

  /** Gives back what was held for half a lease or longer; asked every lease, none is held for two. */
  giveBack(now: number): void {
    this.forget(now)
    for (const holding of this.#holdings.values())
      if (now - holding.takenAt >= LEASE_MS / 2) {
        this.#paces.note(holding.key, holding.calls, now)
        this.#giveUp(holding)
      }
  }

  /** Forgets what is only there to be quick. */
  forget(now: number): void {
    this.#paces.prune(now)
    this.#spent.clear()
  }

  /** The transaction went through: what it did stays. */
  commit(): void {
    if (this.#undo.length > 0) this.#undo = []
  }

  /** The transaction was rolled back: the holdings are again as they were before it. */
  rollback(): void {
    for (const undo of this.#undo.reverse()) undo()
    this.#undo = []
  }

  #hold(
    held: Omit<Holding, 'left' | 'calls' | 'takenAt'> & { readonly keepUntil: Instant },
    left: bigint,
  ): void {
    const holding: Holding = { ...held, left, calls: 0, takenAt: performance.now() }
    this.#ledger.putLease({ ...held, ends: held.keepUntil }, this.#holder, this.#serial++)
    this.#holdings.set(held.key, holding)
    this.#undo.push(() => this.#holdings.delete(held.key))
  }

  #giveUp(holding: Holding): void {
    if (holding.left !== 0n) this.#ledger.add(holding, -holding.left)
    if (holding.isLease) this.#ledger.removeLease(holding, this.#holder)
    this.#holdings.delete(holding.key)
    this.#undo.push(() => this.#holdings.set(holding.key, holding))
  }
}

const takenFrom = (holding: Holding, amount: bigint): Taken => ({
  algorithm: 'fixed',
  key: holding.key,
  amount,
  start: holding.start,
  endsAt: holding.resetsAt,
  keepUntil: holding.keepUntil,
  max: holding.max,
  slot: '',
})
