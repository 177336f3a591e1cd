import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bucketAt,
  bucketLeavesAt,
  SLIDING_BUCKETS,
  slidingHorizon,
  slidingResetsAt,
  slidingShape,
} from './sliding.ts'

const anyWindow = fc.oneof(
  fc.constantFrom('second' as const, 'minute' as const, 'day' as const, 'month' as const),
  fc.record({ lengthMs: fc.integer({ min: 1, max: 86_400_000 }) }),
)
const anyInstant = fc.integer({ min: -1_000_000_000, max: 4_000_000_000_000 })

describe('sliding windows', () => {
  test('what lies within the window before an instant is counted at that instant', () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, fc.nat(), (window, at, back) => {
        const shape = slidingShape(window)
        const then = at - (back % shape.windowMs)
        expect(bucketAt(shape, then)).toBeGreaterThan(slidingHorizon(shape, at))
      }),
    )
  })

  test('a bucket counts until it leaves, which is at most one bucket after the window', () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, (window, at) => {
        const shape = slidingShape(window)
        const start = bucketAt(shape, at)
        const leaves = bucketLeavesAt(shape, start)
        expect(start).toBeGreaterThan(slidingHorizon(shape, leaves - 1))
        expect(start).toBeLessThanOrEqual(slidingHorizon(shape, leaves))
        expect(leaves - at).toBeGreaterThan(shape.windowMs - 1)
        expect(leaves - at).toBeLessThanOrEqual(shape.windowMs + shape.bucketMs)
      }),
    )
  })

  test('a bucket is a sixtieth of the window', () => {
    expect(SLIDING_BUCKETS).toBe(60)
    expect(slidingShape('minute')).toEqual({ windowMs: 60_000, bucketMs: 1000 })
    expect(slidingShape({ lengthMs: 59 })).toEqual({ windowMs: 59, bucketMs: 1 })
  })

  test('it resets when enough of the oldest buckets have left', () => {
    const shape = slidingShape('minute')
    const buckets = [
      { start: 0, used: 2n },
      { start: 5000, used: 3n },
      { start: 9000, used: 5n },
    ]
    const at = (amount: bigint) => slidingResetsAt(shape, buckets, { amount, max: 10n })
    expect(at(1n)).toBe(61_000)
    expect(at(2n)).toBe(61_000)
    expect(at(3n)).toBe(66_000)
    expect(at(10n)).toBe(70_000)
    expect(at(11n)).toBeUndefined()
  })
})
