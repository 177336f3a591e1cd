import { randomBytes } from 'node:crypto'
import type { Instant } from '../../core/instant.ts'
import type { Log } from '../../core/log.ts'
import type { LimitAlgorithm } from '../../core/policy/model.ts'
import type { CounterStore } from '../../core/ports.ts'
import type { Demand, Reservation } from '../../core/quota/demand.ts'
import { ReservationBook } from '../reservation-book.ts'
import { steadyInstant } from '../steady-instant.ts'
import { asStoreError } from '../store-error.ts'
import { ConcurrentTaker } from './concurrent.ts'
import type { Database } from './database.ts'
import { FixedTaker } from './fixed.ts'
import { Holders } from './holders.ts'
import { LEASE_MS } from './leasing.ts'
import { Ledger } from './ledger.ts'
import { SlidingTaker } from './sliding.ts'
import type { Miss, Taken, Taker } from './taker.ts'
import { WAIT_MS, Waiting } from './waiting.ts'

/** How often windows that are over are forgotten. */
const PRUNE_MS = 30_000

type Refused = Miss & { readonly exhausted: number }

/** Counters in the embedded database, exact for any number of processes that share it. */
export class SqliteCounters implements CounterStore {
  readonly #database: Database
  readonly #log: Log | undefined
  readonly #ledger: Ledger
  readonly #holders: Holders
  readonly #fixed: FixedTaker
  readonly #takers: Readonly<Record<LimitAlgorithm, Taker>>
  readonly #book: ReservationBook<readonly Taken[]>
  readonly #waiting = new Waiting()
  readonly #steady = steadyInstant()
  #now: Instant = Number.NEGATIVE_INFINITY
  #returns: Taken[] = []
  #returnTimer: NodeJS.Immediate | NodeJS.Timeout | undefined
  #leaseTimer: NodeJS.Timeout | undefined
  #prunedAt = performance.now()
  #isClosed = false

  constructor(database: Database, log?: Log) {
    this.#database = database
    this.#log = log
    const id = randomBytes(9).toString('base64url')
    this.#ledger = new Ledger(database)
    this.#holders = new Holders(database, id)
    this.#fixed = new FixedTaker(this.#ledger, id)
    this.#takers = {
      fixed: this.#fixed,
      sliding: new SlidingTaker(this.#ledger),
      concurrent: new ConcurrentTaker(this.#ledger, this.#holders),
    }
    this.#book = new ReservationBook(`${id}-`)
  }

  reserve(demands: readonly Demand[], at: Instant): Promise<Reservation> {
    this.#now = this.#steady(at)
    try {
      for (const demand of demands)
        if (demand.amount < 0n) throw new RangeError('a demand can not be negative')
      const held = this.#takeHeld(demands)
      if (held !== undefined) return Promise.resolve(held)
      const spent = this.#missSpent(demands)
      if (spent !== undefined) return Promise.resolve(reservationOf(spent))
      const result = this.#transact(() => this.#takeAll(demands, this.#now))
      if (!('isMiss' in result)) return Promise.resolve(result)
      if (result.awaited === undefined || !this.#waiting.hasRoom())
        return Promise.resolve(reservationOf(result))
      return this.#wait(demands, result)
    } catch (error) {
      return Promise.reject(asStoreError(error, this.#database.path))
    }
  }

  settle(id: string): void {
    const reserved = this.#book.take(id)
    if (reserved === undefined) return
    for (const taken of reserved) if (taken.algorithm === 'concurrent') this.#giveBackSoon(taken)
  }

  release(id: string): void {
    const reserved = this.#book.take(id)
    if (reserved === undefined) return
    for (const taken of reserved) {
      // What was counted in a window that is over no longer counts.
      if (taken.endsAt <= this.#now) continue
      if (taken.algorithm === 'fixed' && this.#fixed.releaseHeld(taken)) continue
      this.#giveBackSoon(taken)
    }
  }

  peek(demands: readonly Demand[], at: Instant): Promise<readonly bigint[]> {
    this.#now = this.#steady(at)
    try {
      if (this.#returns.length > 0) this.#transact(() => undefined)
      return Promise.resolve(demands.map((d) => this.#takers[d.algorithm].used(d, this.#now)))
    } catch (error) {
      return Promise.reject(asStoreError(error, this.#database.path))
    }
  }

  /** Gives back what this process holds; calls that wait get their last answer. */
  close(): void {
    if (this.#isClosed) return
    this.#waiting.close()
    this.#isClosed = true
    clearTimeout(this.#leaseTimer)
    this.#cancelReturns()
    try {
      this.#transact(() => this.#fixed.giveBack(Number.POSITIVE_INFINITY))
      this.#holders.close()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Takes everything from what this process holds, or nothing. */
  #takeHeld(demands: readonly Demand[]): Reservation | undefined {
    if (!this.#fixed.holdsAny()) return undefined
    const all: Taken[] = []
    const remaining: bigint[] = []
    for (const demand of demands) {
      const held = this.#fixed.takeHeld(demand, this.#now)
      if (held === undefined) {
        for (const taken of all) this.#fixed.putBack(taken)
        return undefined
      }
      all.push(held.taken)
      remaining.push(held.remaining)
    }
    return { ok: true, id: this.#book.add(all), remaining }
  }

  /** A refusal by the first demand, found without the write lock. */
  #missSpent(demands: readonly Demand[]): Refused | undefined {
    const [first] = demands
    if (first === undefined || this.#returns.length > 0) return undefined
    const miss = this.#fixed.missSpent(first, this.#now)
    return miss === undefined ? undefined : { ...miss, exhausted: 0 }
  }

  /** Takes everything, or nothing. INVARIANT: inside a transaction. */
  #takeAll(demands: readonly Demand[], now: Instant): Reservation | Refused {
    const all: Taken[] = []
    const remaining: bigint[] = []
    for (const [index, demand] of demands.entries()) {
      const result = this.#takers[demand.algorithm].take(demand, now)
      if ('isMiss' in result) {
        for (const taken of all.reverse()) this.#takers[taken.algorithm].undo(taken)
        return { ...result, exhausted: index }
      }
      all.push(result.taken)
      remaining.push(result.remaining)
    }
    return { ok: true, id: this.#book.add(all), remaining }
  }

  /** Waits for the leases of other processes to come back, for a bounded time. */
  #wait(demands: readonly Demand[], first: Refused): Promise<Reservation> {
    const since = performance.now()
    const entered = this.#now
    const key = demands[first.exhausted]?.key ?? ''
    return new Promise((resolve, reject) => {
      const attempt = (isLast: boolean): boolean => {
        try {
          const now = Math.max(this.#now, entered + Math.floor(performance.now() - since))
          const result = this.#transact(() => {
            if (isLast) this.#removeStale(key, first)
            return this.#takeAll(demands, now)
          })
          if ('isMiss' in result && result.awaited !== undefined && !isLast) return false
          resolve('isMiss' in result ? reservationOf(result) : result)
        } catch (error) {
          reject(asStoreError(error, this.#database.path))
        }
        return true
      }
      this.#waiting.add({ key, deadline: since + WAIT_MS, attempt })
    })
  }

  /** A lease that outlived the wait is one of a dead process: nobody waits for it again. */
  #removeStale(key: string, { awaited }: Refused): void {
    if (awaited === undefined) return
    for (const stale of awaited.leases)
      this.#ledger.removeStaleLease({ key, start: awaited.start }, stale)
  }

  /** A transaction on counters; what is to be given back goes first. */
  #transact<T>(work: () => T): T {
    try {
      const result = this.#database.transact(() => {
        for (const taken of this.#returns) this.#takers[taken.algorithm].release(taken)
        this.#pruneNowAndThen()
        return work()
      })
      this.#fixed.commit()
      if (this.#returns.length > 0) this.#returns = []
      if (this.#fixed.holdsAny()) this.#armLeases()
      return result
    } catch (error) {
      this.#fixed.rollback()
      this.#holders.undoEnter()
      throw error
    }
  }

  #pruneNowAndThen(): void {
    const mono = performance.now()
    if (mono - this.#prunedAt < PRUNE_MS) return
    this.#fixed.forget(mono)
    // A full batch means that there is more: go on with the next transaction.
    if (this.#ledger.prune(this.#now) < 500) this.#prunedAt = mono
  }

  #giveBackSoon(taken: Taken): void {
    this.#returns.push(taken)
    if (!this.#isClosed) this.#returnTimer ??= setImmediate(() => this.#flushReturns())
  }

  #flushReturns(): void {
    this.#returnTimer = undefined
    if (this.#returns.length === 0 || this.#isClosed) return
    try {
      this.#transact(() => undefined)
    } catch (error) {
      this.#failed(error)
      this.#returnTimer ??= setTimeout(() => this.#flushReturns(), LEASE_MS).unref()
    }
  }

  #cancelReturns(): void {
    clearImmediate(this.#returnTimer as NodeJS.Immediate | undefined)
    clearTimeout(this.#returnTimer as NodeJS.Timeout | undefined)
  }

  #armLeases(): void {
    if (this.#isClosed) return
    this.#leaseTimer ??= setTimeout(() => this.#giveBackLeases(), LEASE_MS).unref()
  }

  #giveBackLeases(): void {
    this.#leaseTimer = undefined
    try {
      this.#transact(() => this.#fixed.giveBack(performance.now()))
    } catch (error) {
      this.#failed(error)
      this.#armLeases()
    }
  }

  #failed(error: unknown): void {
    const reason = asStoreError(error, this.#database.path).message
    this.#log?.('warn', { event: 'store.failed', store: 'counters', reason })
  }
}

const reservationOf = ({ exhausted, used, resetsAt }: Refused): Reservation => ({
  ok: false,
  exhausted,
  used,
  resetsAt,
})
