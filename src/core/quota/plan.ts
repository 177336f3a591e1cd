import type { LimitUse } from '../policy/model.ts'
import type { Demand } from './demand.ts'
import type { CounterSubject } from './key.ts'
import { limitKey } from './key.ts'

/** A demand, and the limit it comes from; of several limits on one counter, the strictest. */
export interface PlannedDemand extends Demand {
  readonly use: LimitUse
}

const planned = (use: LimitUse, subject: CounterSubject): PlannedDemand => ({
  key: limitKey(use.limit, subject),
  algorithm: use.limit.algorithm,
  window: use.limit.window,
  amount: use.amount,
  max: use.limit.max,
  use,
})

/** Two draws on one counter: their amounts add up, and the smaller max holds for the sum. */
function merged(a: PlannedDemand, b: PlannedDemand): PlannedDemand {
  const strictest = b.max < a.max ? b : a
  return { ...strictest, amount: a.amount + b.amount }
}

/** The counters that an exchange draws on, one demand each, in the order they are reserved. */
export function planDemands(
  uses: readonly LimitUse[],
  subject: CounterSubject,
): readonly PlannedDemand[] {
  const [only] = uses
  if (only === undefined) return []
  if (uses.length === 1) return [planned(only, subject)]
  const byKey = new Map<string, PlannedDemand>()
  for (const use of uses) {
    const demand = planned(use, subject)
    const known = byKey.get(demand.key)
    byKey.set(demand.key, known === undefined ? demand : merged(known, demand))
  }
  // INVARIANT: sorted by key, so that two exchanges never wait for each other's locks.
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}
