import type { Instant } from '../core/instant.ts'

/** How far back the clock may be set without its being believed. */
export const STEP_BACK_MS = 3_600_000

/**
 * The time as counters see it: a clock that is set back by up to an hour does not take them back to
 * a window that was spent. Set back further it was wrong before, and the new time is believed.
 */
export function steadyInstant(): (at: Instant) => Instant {
  let last = Number.NEGATIVE_INFINITY
  return (at) => {
    if (at < last && last - at <= STEP_BACK_MS) return last
    last = at
    return at
  }
}
