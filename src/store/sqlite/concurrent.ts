import type { Demand } from '../../core/quota/demand.ts'
import type { Holders } from './holders.ts'
import type { Ledger } from './ledger.ts'
import type { Miss, Taken, Taker } from './taker.ts'
import { bounded, fits, isHopeless } from './taker.ts'

/** Concurrency: a row per slot that is held, freed by its end or by its holder's death. */
export class ConcurrentTaker implements Taker {
  readonly #ledger: Ledger
  readonly #holders: Holders
  #serial = 0

  constructor(ledger: Ledger, holders: Holders) {
    this.#ledger = ledger
    this.#holders = holders
  }

  take(demand: Demand): { taken: Taken; remaining: bigint } | Miss {
    const { key, amount, max } = demand
    let used = this.#ledger.slotsUsed(key)
    if (!fits(used, demand) && !isHopeless(demand) && this.#holders.reap())
      used = this.#ledger.slotsUsed(key)
    if (!fits(used, demand)) return { isMiss: true, used, resetsAt: undefined, awaited: undefined }
    this.#holders.enter()
    const slot = `${this.#holders.id}.${this.#serial++}`
    this.#ledger.putSlot({ key, id: slot, holder: this.#holders.id, amount })
    const taken: Taken = {
      algorithm: 'concurrent',
      key,
      amount,
      start: 0,
      endsAt: Number.POSITIVE_INFINITY,
      keepUntil: 0,
      max,
      slot,
    }
    return { taken, remaining: bounded(max) - used - amount }
  }

  undo(taken: Taken): void {
    this.#ledger.removeSlot(taken.key, taken.slot)
  }

  release(taken: Taken): void {
    this.#ledger.removeSlot(taken.key, taken.slot)
  }

  used(demand: Demand): bigint {
    return this.#ledger.slotsUsed(demand.key)
  }
}
