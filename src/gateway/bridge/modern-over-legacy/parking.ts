import { randomBytes } from 'node:crypto'
import type { FaceBounds } from './bounds.ts'
import type { Leg } from './leg.ts'

/** A call that waits for its client to come back. */
export interface Parked {
  readonly grantId: string
  /** Which call it is: only the same one may go on. */
  readonly digest: string
  /** The client is back. */
  resume(leg: Leg): void
  /** The client did not come back in time. */
  expire(): void
}

const PREFIX = 'sallyport-parked.'

/** Calls that wait for their clients, by handles that nobody can guess. */
export class ParkingLot {
  readonly #parked = new Map<string, { one: Parked; timer: NodeJS.Timeout }>()
  readonly #bounds: FaceBounds

  constructor(bounds: FaceBounds) {
    this.#bounds = bounds
  }

  /** Parks a call; undefined when there is no room. A handle is good for one return. */
  put(one: Parked): string | undefined {
    const ofGrant = [...this.#parked.values()].filter((p) => p.one.grantId === one.grantId)
    const { maxParked, maxParkedOfGrant, parkMs } = this.#bounds
    if (this.#parked.size >= maxParked || ofGrant.length >= maxParkedOfGrant) return undefined
    const handle = PREFIX + randomBytes(16).toString('base64url')
    const timer = setTimeout(() => {
      this.#parked.delete(handle)
      one.expire()
    }, parkMs)
    timer.unref()
    this.#parked.set(handle, { one, timer })
    return handle
  }

  /** The call of a handle, for its own grant and the same call only; it is no longer parked. */
  take(handle: string, of: { grantId: string; digest: string }): Parked | undefined {
    const found = this.#parked.get(handle)
    if (found?.one.grantId !== of.grantId || found.one.digest !== of.digest) return undefined
    clearTimeout(found.timer)
    this.#parked.delete(handle)
    return found.one
  }

  /** Gives every call up. */
  clear(): void {
    for (const { one, timer } of this.#parked.values()) {
      clearTimeout(timer)
      one.expire()
    }
    this.#parked.clear()
  }
}
