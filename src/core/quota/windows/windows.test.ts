import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WindowRef } from './index.ts'
import { windowAt, windowIdentity, windowOf, windows } from './index.ts'

const names = Object.keys(windows) as (keyof typeof windows)[]
/** Years 0 to 9999, and a little before. */
const anyInstant = fc.integer({ min: -62_198_755_200_000, max: 253_402_300_799_999 })
const anyWindow: fc.Arbitrary<WindowRef> = fc.oneof(
  fc.constantFrom(...names),
  fc.record({ lengthMs: fc.integer({ min: 1, max: 400 * 86_400_000 }) }),
)
const iso = (at: number): string => new Date(at).toISOString()
const spanOf = (window: WindowRef, at: string): readonly [string, string] => {
  const { start, resetsAt } = windowAt(window, Date.parse(at))
  return [iso(start), iso(resetsAt)]
}

describe('windows', () => {
  test('an instant lies in its own window', () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, (window, at) => {
        const { start, resetsAt } = windowAt(window, at)
        expect(start).toBeLessThanOrEqual(at)
        expect(at).toBeLessThan(resetsAt)
      }),
    )
  })

  test('windows tile time: every instant of one has the same span, and the next starts at its end', () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, fc.double({ min: 0, max: 1, noNaN: true }), (w, at, f) => {
        const span = windowAt(w, at)
        const inside = span.start + Math.floor(f * (span.resetsAt - 1 - span.start))
        expect(windowAt(w, inside)).toEqual(span)
        expect(windowAt(w, span.resetsAt).start).toBe(span.resetsAt)
        expect(windowAt(w, span.start - 1).resetsAt).toBe(span.start)
      }),
    )
  })

  test('no span is longer than its window says', () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, (window, at) => {
        const { start, resetsAt } = windowAt(window, at)
        expect(resetsAt - start).toBeLessThanOrEqual(windowOf(window).longestMs)
      }),
    )
  })

  test.each([
    ['second', '2026-11-23T12:34:56.789Z', '2026-11-23T12:34:56.000Z', '2026-11-23T12:34:57.000Z'],
    ['minute', '2026-11-23T12:34:56.789Z', '2026-11-23T12:34:00.000Z', '2026-11-23T12:35:00.000Z'],
    ['hour', '2026-11-23T12:34:56.789Z', '2026-11-23T12:00:00.000Z', '2026-11-23T13:00:00.000Z'],
    ['day', '2026-11-23T12:34:56.789Z', '2026-11-23T00:00:00.000Z', '2026-11-24T00:00:00.000Z'],
    ['week', '2026-11-29T23:59:59.999Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['week', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['month', '2028-02-29T12:00:00.000Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['month', '0050-06-15T00:00:00.000Z', '0050-06-01T00:00:00.000Z', '0050-07-01T00:00:00.000Z'],
  ] as const)('the %s of %s is that of the calendar in UTC', (window, at, start, end) => {
    expect(spanOf(window, at)).toEqual([start, end])
  })

  test('a duration is aligned to the epoch', () => {
    expect(windowAt({ lengthMs: 90_000 }, 200_000)).toEqual({ start: 180_000, resetsAt: 270_000 })
    expect(windowAt({ lengthMs: 90_000 }, -1)).toEqual({ start: -90_000, resetsAt: 0 })
  })

  test('windows that divide time alike have one identity, others have not', () => {
    fc.assert(
      fc.property(anyWindow, anyWindow, anyInstant, (a, b, at) => {
        if (windowIdentity(a) === windowIdentity(b))
          expect(windowAt(a, at)).toEqual(windowAt(b, at))
      }),
    )
    expect(windowIdentity('minute')).toBe(windowIdentity({ lengthMs: 60_000 }))
    // Weeks start on Mondays, durations of seven days on Thursdays.
    expect(windowIdentity('week')).not.toBe(windowIdentity({ lengthMs: 7 * 86_400_000 }))
    expect(windowIdentity('month')).not.toBe(windowIdentity({ lengthMs: 31 * 86_400_000 }))
  })
})
