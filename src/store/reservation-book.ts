/** How many reservations are remembered; the oldest ones beyond count as settled. */
const BOUND = 100_000

/** What this process reserved and has neither settled nor released. */
export class ReservationBook<T> {
  readonly #prefix: string
  readonly #open = new Map<string, T>()
  #serial = 0

  /** `prefix` tells this store's ids from those of every other. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** Remembers a reservation; gives its id. */
  add(reserved: T): string {
    const id = this.#prefix + this.#serial++
    this.#open.set(id, reserved)
    if (this.#open.size > BOUND) this.#forgetOldest()
    return id
  }

  /** Gives what was reserved under the id, once. */
  take(id: string): T | undefined {
    const reserved = this.#open.get(id)
    if (reserved !== undefined) this.#open.delete(id)
    return reserved
  }

  #forgetOldest(): void {
    const { value } = this.#open.keys().next()
    if (value !== undefined) this.#open.delete(value)
  }
}
