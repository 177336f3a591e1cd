import { describe, expect, test } from 'vitest'
import { LEASE_MS, Paces } from './leasing.ts'

const LOTS = 1_000_000n

/** Notes `calls` calls, evenly over the milliseconds from `from` on. */
const notes = (paces: Paces, calls: number, from: number, spanMs: number): void => {
  for (let i = 0; i < calls; i++) paces.note('k', 1, from + (i * spanMs) / calls)
}

describe('the size of a lease', () => {
  test('is nothing for a counter that is seldom asked for', () => {
    const paces = new Paces()
    expect(paces.chunk('k', 1n, LOTS)).toBe(0n)
    notes(paces, 50, 0, 50 * LEASE_MS)
    expect(paces.chunk('k', 1n, LOTS)).toBe(0n)
  })

  test('follows the pace', () => {
    const paces = new Paces()
    notes(paces, 40, 0, 50)
    expect(paces.chunk('k', 1n, LOTS)).toBe(40n)
    expect(paces.chunk('k', 5n, LOTS)).toBe(200n)
    // The next stretch of time goes by what the one before it was.
    paces.note('k', 1, LEASE_MS)
    expect(paces.chunk('k', 1n, LOTS)).toBe(40n)
    paces.note('k', 1, 5 * LEASE_MS)
    expect(paces.chunk('k', 1n, LOTS)).toBe(0n)
  })

  test('is at most a sixteenth of what remains, and nothing when that is little', () => {
    const paces = new Paces()
    notes(paces, 1000, 0, 50)
    expect(paces.chunk('k', 1n, 1600n)).toBe(100n)
    expect(paces.chunk('k', 1n, 128n)).toBe(8n)
    expect(paces.chunk('k', 1n, 127n)).toBe(0n)
    expect(paces.chunk('k', 0n, LOTS)).toBe(0n)
  })

  test('is nothing after the counter was quiet for a while', () => {
    const paces = new Paces()
    notes(paces, 1000, 0, 50)
    paces.prune(20 * LEASE_MS)
    expect(paces.chunk('k', 1n, LOTS)).toBe(0n)
  })
})
