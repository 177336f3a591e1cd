import type { Instant } from '../../core/instant.ts'
import type { Demand } from '../../core/quota/demand.ts'
import type { Bucket } from '../../core/quota/sliding.ts'
import {
  bucketAt,
  bucketLeavesAt,
  slidingHorizon,
  slidingResetsAt,
  slidingShape,
} from '../../core/quota/sliding.ts'
import { STEP_BACK_MS } from '../steady-instant.ts'
import type { Ledger } from './ledger.ts'
import type { Miss, Taken, Taker } from './taker.ts'
import { bounded, fits, isHopeless } from './taker.ts'

const sum = (buckets: readonly Bucket[]): bigint => buckets.reduce((all, b) => all + b.used, 0n)

/** Sliding windows: a row per counter and bucket. */
export class SlidingTaker implements Taker {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  take(demand: Demand, now: Instant): { taken: Taken; remaining: bigint } | Miss {
    const { key, amount, max } = demand
    const shape = slidingShape(demand.window ?? 'minute')
    const buckets = this.#buckets(demand, now)
    const used = sum(buckets)
    if (!fits(used, demand)) {
      const resetsAt = isHopeless(demand)
        ? undefined
        : slidingResetsAt(shape, buckets, { amount, max: bounded(max) })
      return { isMiss: true, used, resetsAt, awaited: undefined }
    }
    const start = bucketAt(shape, now)
    const endsAt = bucketLeavesAt(shape, start)
    const row = { key, start, keepUntil: endsAt + STEP_BACK_MS }
    this.#ledger.add(row, amount)
    const taken: Taken = {
      algorithm: 'sliding',
      amount,
      endsAt,
      max,
      slot: '',
      ...row,
    }
    return { taken, remaining: bounded(max) - used - amount }
  }

  undo(taken: Taken): void {
    this.#ledger.add(taken, -taken.amount)
  }

  release(taken: Taken): void {
    this.#ledger.add(taken, -taken.amount)
  }

  used(demand: Demand, now: Instant): bigint {
    return sum(this.#buckets(demand, now))
  }

  /** Buckets of a clock that has since been set back count too, but not those of one that was badly wrong. */
  #buckets(demand: Demand, now: Instant): readonly Bucket[] {
    const shape = slidingShape(demand.window ?? 'minute')
    return this.#ledger.buckets(demand.key, slidingHorizon(shape, now), now + STEP_BACK_MS)
  }
}
