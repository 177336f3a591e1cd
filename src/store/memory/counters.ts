import type { Instant } from '../../core/instant.ts'
import type { CounterStore } from '../../core/ports.ts'
import type { Demand, Reservation } from '../../core/quota/demand.ts'
import type { Bucket } from '../../core/quota/sliding.ts'
import {
  bucketAt,
  bucketLeavesAt,
  slidingHorizon,
  slidingResetsAt,
  slidingShape,
} from '../../core/quota/sliding.ts'
import { windowAt, windowOf } from '../../core/quota/windows/index.ts'
import { ReservationBook } from '../reservation-book.ts'
import { STEP_BACK_MS, steadyInstant } from '../steady-instant.ts'

/** Where a demand is counted: the start of its window or bucket; slots all count at 0. */
interface Place {
  readonly start: Instant
  readonly endsAt: Instant
  readonly keepUntil: Instant
}

interface Taken extends Place {
  readonly key: string
  readonly algorithm: Demand['algorithm']
  readonly amount: bigint
}

interface Count {
  used: bigint
  readonly keepUntil: Instant
}

/** How many reservations go by between two looks for counters that are over. */
const PRUNE_EVERY = 10_000

function placeOf(demand: Demand, now: Instant): Place {
  const window = demand.window ?? 'minute'
  switch (demand.algorithm) {
    case 'fixed': {
      const { start, resetsAt } = windowAt(window, now)
      const keepUntil = resetsAt + windowOf(window).longestMs + STEP_BACK_MS
      return { start, endsAt: resetsAt, keepUntil }
    }
    case 'sliding': {
      const shape = slidingShape(window)
      const start = bucketAt(shape, now)
      const endsAt = bucketLeavesAt(shape, start)
      return { start, endsAt, keepUntil: endsAt + STEP_BACK_MS }
    }
    case 'concurrent':
      return { start: 0, endsAt: Number.POSITIVE_INFINITY, keepUntil: Number.POSITIVE_INFINITY }
    default:
      return demand.algorithm satisfies never
  }
}

/** Counters of one process, in memory: for tests, and the plainest account of what a counter store does. */
export class MemoryCounters implements CounterStore {
  readonly #counts = new Map<string, Map<Instant, Count>>()
  readonly #book = new ReservationBook<readonly Taken[]>('m-')
  readonly #steady = steadyInstant()
  #now: Instant = Number.NEGATIVE_INFINITY
  #untilPrune = PRUNE_EVERY

  async reserve(demands: readonly Demand[], at: Instant): Promise<Reservation> {
    this.#now = this.#steady(at)
    this.#pruneNowAndThen()
    const all: Taken[] = []
    const remaining: bigint[] = []
    for (const [exhausted, demand] of demands.entries()) {
      if (demand.amount < 0n) throw new RangeError('a demand can not be negative')
      const used = this.#used(demand)
      if (demand.max <= 0n || used + demand.amount > demand.max) {
        for (const taken of all) this.#giveBack(taken)
        return { ok: false, exhausted, used, resetsAt: this.#resetsAt(demand) }
      }
      all.push(this.#take(demand))
      remaining.push(demand.max - used - demand.amount)
    }
    return { ok: true, id: this.#book.add(all), remaining }
  }

  settle(id: string): void {
    for (const taken of this.#book.take(id) ?? [])
      if (taken.algorithm === 'concurrent') this.#giveBack(taken)
  }

  release(id: string): void {
    for (const taken of this.#book.take(id) ?? [])
      if (taken.endsAt > this.#now) this.#giveBack(taken)
  }

  async peek(demands: readonly Demand[], at: Instant): Promise<readonly bigint[]> {
    this.#now = this.#steady(at)
    return demands.map((demand) => this.#used(demand))
  }

  #take(demand: Demand): Taken {
    const { key, algorithm, amount } = demand
    const place = placeOf(demand, this.#now)
    const counts = this.#counts.get(key) ?? new Map<Instant, Count>()
    this.#counts.set(key, counts)
    const count = counts.get(place.start)
    if (count === undefined) counts.set(place.start, { used: amount, keepUntil: place.keepUntil })
    else count.used += amount
    return { ...place, key, algorithm, amount }
  }

  #giveBack({ key, start, amount }: Taken): void {
    const count = this.#counts.get(key)?.get(start)
    if (count !== undefined) count.used -= amount
  }

  #used(demand: Demand): bigint {
    if (demand.algorithm === 'sliding')
      return this.#buckets(demand).reduce((sum, bucket) => sum + bucket.used, 0n)
    const { start } = placeOf(demand, this.#now)
    return this.#counts.get(demand.key)?.get(start)?.used ?? 0n
  }

  #buckets(demand: Demand): readonly Bucket[] {
    const horizon = slidingHorizon(slidingShape(demand.window ?? 'minute'), this.#now)
    return [...(this.#counts.get(demand.key) ?? [])]
      .filter(([start]) => start > horizon && start <= this.#now + STEP_BACK_MS)
      .map(([start, { used }]) => ({ start, used }))
      .sort((a, b) => a.start - b.start)
  }

  #resetsAt(demand: Demand): Instant | undefined {
    if (demand.amount > demand.max || demand.max <= 0n) return undefined
    if (demand.algorithm === 'fixed') return placeOf(demand, this.#now).endsAt
    if (demand.algorithm === 'concurrent') return undefined
    return slidingResetsAt(slidingShape(demand.window ?? 'minute'), this.#buckets(demand), demand)
  }

  #pruneNowAndThen(): void {
    if (--this.#untilPrune > 0) return
    this.#untilPrune = PRUNE_EVERY
    for (const [key, counts] of this.#counts) {
      for (const [start, { keepUntil }] of counts) if (keepUntil < this.#now) counts.delete(start)
      if (counts.size === 0) this.#counts.delete(key)
    }
  }
}
