import type { Instant } from '../instant.ts'
import type { WindowRef } from './windows/index.ts'
import { windowOf } from './windows/index.ts'

/** Into how many buckets a sliding window is divided: it may refuse this part of it too early, never too late. */
export const SLIDING_BUCKETS = 60

/** How a sliding window keeps its count: consumption is added up in buckets of this length. */
export interface SlidingShape {
  readonly windowMs: number
  readonly bucketMs: number
}

/** The shape of the sliding form of a window. */
export function slidingShape(ref: WindowRef): SlidingShape {
  const windowMs = windowOf(ref).longestMs
  return { windowMs, bucketMs: Math.ceil(windowMs / SLIDING_BUCKETS) }
}

/** The start of the bucket that `at` lies in. */
export const bucketAt = ({ bucketMs }: SlidingShape, at: Instant): Instant =>
  Math.floor(at / bucketMs) * bucketMs

/** Buckets that start after this one's instant still overlap the window that ends at `at`. */
export const slidingHorizon = ({ windowMs, bucketMs }: SlidingShape, at: Instant): Instant =>
  at - windowMs - bucketMs

/** When a bucket no longer counts. */
export const bucketLeavesAt = ({ windowMs, bucketMs }: SlidingShape, start: Instant): Instant =>
  start + bucketMs + windowMs

/** What was consumed in one bucket. */
export interface Bucket {
  readonly start: Instant
  readonly used: bigint
}

/**
 * When enough buckets (oldest first) have left for `amount` to fit under `max`; undefined when it
 * never does.
 */
export function slidingResetsAt(
  shape: SlidingShape,
  buckets: readonly Bucket[],
  { amount, max }: { readonly amount: bigint; readonly max: bigint },
): Instant | undefined {
  let used = buckets.reduce((sum, bucket) => sum + bucket.used, 0n)
  for (const bucket of buckets) {
    used -= bucket.used
    if (used + amount <= max) return bucketLeavesAt(shape, bucket.start)
  }
  return undefined
}
