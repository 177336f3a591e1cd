/** How often those who wait for another process's lease look again. */
const POLL_MS = 10
/** The longest that a call waits for leases to come back before it is refused. */
export const WAIT_MS = 400
/** How many calls may wait; the next is refused at once. */
const BOUND = 50_000

/** One that waits. `attempt` gives true when it is done; on the last attempt it always is. */
export interface Waiter {
  /** The counter it waits for. */
  readonly key: string
  readonly deadline: number
  attempt(isLast: boolean): boolean
}

/** Calls that found a limit exhausted while other processes hold unspent leases on it, first come first served. */
export class Waiting {
  #queue: Waiter[] = []
  #timer: NodeJS.Timeout | undefined

  hasRoom(): boolean {
    return this.#queue.length < BOUND
  }

  add(waiter: Waiter): void {
    this.#queue.push(waiter)
    this.#timer ??= setTimeout(() => this.#poll(), POLL_MS)
  }

  /** Gives everyone the last attempt. */
  close(): void {
    clearTimeout(this.#timer)
    const queue = this.#queue
    this.#queue = []
    for (const waiter of queue) waiter.attempt(true)
  }

  #poll(): void {
    this.#timer = undefined
    const now = performance.now()
    const queue = this.#queue
    this.#queue = []
    const blocked = new Set<string>()
    for (const waiter of queue) {
      const isLast = now >= waiter.deadline
      // Behind one that found nothing the others would find nothing either: they look next time.
      if (blocked.has(waiter.key) && !isLast) this.#queue.push(waiter)
      else if (!waiter.attempt(isLast)) {
        blocked.add(waiter.key)
        this.#queue.push(waiter)
      }
    }
    if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#poll(), POLL_MS)
  }
}
