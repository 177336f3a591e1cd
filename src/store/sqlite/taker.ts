import type { Instant } from '../../core/instant.ts'
import type { Demand } from '../../core/quota/demand.ts'
import type { ForeignLease } from './ledger.ts'
import { LARGEST } from './ledger.ts'

/** A demand that did not fit. */
export interface Miss {
  readonly isMiss: true
  readonly used: bigint
  readonly resetsAt: Instant | undefined
  /** Where other processes hold leases that may come back. */
  readonly awaited:
    | { readonly start: Instant; readonly leases: readonly ForeignLease[] }
    | undefined
}

/** A demand that was met, and all that is needed to give it back. */
export interface Taken {
  readonly algorithm: Demand['algorithm']
  readonly key: string
  readonly amount: bigint
  /** Where it was counted: the window's or bucket's start; 0 for a slot. */
  readonly start: Instant
  /** After this it no longer counts, and is not given back. */
  readonly endsAt: Instant
  readonly keepUntil: Instant
  readonly max: bigint
  /** A slot's id; '' for the others. */
  readonly slot: string
}

/** How one algorithm counts. INVARIANT: all but `used` run inside a transaction. */
export interface Taker {
  take(demand: Demand, now: Instant): { readonly taken: Taken; readonly remaining: bigint } | Miss
  /** Gives back what `take` took in the same transaction. */
  undo(taken: Taken): void
  /** Gives back what an earlier transaction took. */
  release(taken: Taken): void
  used(demand: Demand, now: Instant): bigint
}

/** `max` as far as a counter can hold it. */
export const bounded = (max: bigint): bigint => (max < LARGEST ? max : LARGEST)

/** True when the demand fits beside what is used. A `max` of 0 denies also a demand for nothing. */
export const fits = (used: bigint, { amount, max }: { amount: bigint; max: bigint }): boolean =>
  max > 0n && used + amount <= bounded(max)

/** True when the demand never fits, whatever is used. */
export const isHopeless = (demand: Demand): boolean => !fits(0n, demand)
