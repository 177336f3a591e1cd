import type { Instant } from '../../instant.ts'

/** The span that a count lives in: `start <= at < resetsAt`. */
export interface WindowSpan {
  readonly start: Instant
  readonly resetsAt: Instant
}

/** A kind of window: how it divides time, and how long one of it can be. */
export interface QuotaWindow {
  /** The span that `at` lies in. Spans tile time: one ends where the next starts. */
  spanAt(at: Instant): WindowSpan
  /** The longest that one span can be; what a sliding window of this kind looks back over. */
  readonly longestMs: number
}
