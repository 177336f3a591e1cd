import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Limit, LimitUse } from '../policy/model.ts'
import type { CounterSubject } from './key.ts'
import { counterKey, limitKey } from './key.ts'
import { planDemands } from './plan.ts'

const limit = (more: Partial<Limit> = {}): Limit => ({
  counter: 'calls',
  window: 'minute',
  max: 10n,
  scope: 'grant',
  algorithm: 'fixed',
  onError: 'deny',
  message: 'over the limit',
  ...more,
})
const use = (more: Partial<Limit> = {}, amount = 1n): LimitUse => ({
  pointer: `/tools/t/limits/${more.counter ?? 0}`,
  limit: limit(more),
  amount,
  mode: 'enforce',
})
const subject = { grantId: 'g', sessionId: 's', server: 'srv', organisation: 'org' }

const anyText = fc.constantFrom('', 'a', 'b', '"', ',', 'a","b', 'null', '\u0000', 'é')
const anyLimit = fc
  .record({
    counter: anyText,
    window: fc.constantFrom(
      'minute' as const,
      'week' as const,
      { lengthMs: 60_000 },
      { lengthMs: 5 },
      undefined,
    ),
    max: fc.bigInt({ min: 0n, max: 5n }),
    scope: fc.constantFrom(
      'grant' as const,
      'session' as const,
      'server' as const,
      'organisation' as const,
    ),
    algorithm: fc.constantFrom('fixed' as const, 'sliding' as const, 'concurrent' as const),
  })
  .map(limit)
const anySubject = fc.record({
  grantId: anyText,
  sessionId: fc.option(anyText, { nil: undefined }),
  server: anyText,
  organisation: anyText,
})

describe('counter keys', () => {
  test('two lists of parts share a key only if they are equal', () => {
    const part = fc.oneof(fc.string(), fc.integer(), fc.constant(null))
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (a, b) => {
        const isSame = a.length === b.length && a.every((x, i) => x === b[i])
        expect(counterKey(...a) === counterKey(...b)).toBe(isSame)
      }),
    )
  })

  test('two limits share a counter only if scope, value, name, algorithm and window are equal', () => {
    const parts = (l: Limit, s: CounterSubject): unknown[] => {
      const value = {
        grant: [s.grantId],
        session: [s.grantId, s.sessionId],
        server: [s.server],
        organisation: [s.organisation],
      }[l.scope]
      const window = l.window === 'minute' ? { lengthMs: 60_000 } : l.window
      return [l.scope, value, l.counter, l.algorithm, window]
    }
    fc.assert(
      fc.property(anyLimit, anyLimit, anySubject, anySubject, (a, b, s, t) => {
        const isSame = limitKey(a, s) === limitKey(b, t)
        if (isSame) expect(parts(a, s)).toEqual(parts(b, t))
        else expect(parts(a, s)).not.toEqual(parts(b, t))
      }),
      { numRuns: 2000 },
    )
  })

  test('a changed max keeps the counter', () => {
    expect(limitKey(limit({ max: 1n }), subject)).toBe(limitKey(limit({ max: 2n }), subject))
  })

  test('callers without a session share one counter of their grant, apart from that of the grant', () => {
    const without = { grantId: 'g', server: 'a', organisation: 'o' }
    const session = limit({ scope: 'session' })
    expect(limitKey(session, without)).toBe(limitKey(session, { ...without, server: 'b' }))
    expect(limitKey(session, without)).not.toBe(limitKey(session, { ...without, sessionId: '' }))
    expect(limitKey(session, without)).not.toBe(limitKey(limit(), without))
  })
})

describe('planDemands', () => {
  test('a call without limits demands nothing', () => {
    expect(planDemands([], subject)).toEqual([])
  })

  test('one use is one demand, with its limit', () => {
    const only = use({}, 3n)
    expect(planDemands([only], subject)).toEqual([
      {
        key: limitKey(only.limit, subject),
        algorithm: 'fixed',
        window: 'minute',
        amount: 3n,
        max: 10n,
        use: only,
      },
    ])
  })

  test('two limits on one counter are one demand for the sum under the smaller max', () => {
    const wide = use({ max: 100n }, 2n)
    const narrow = use({ max: 5n }, 1n)
    for (const uses of [
      [wide, narrow],
      [narrow, wide],
    ]) {
      const demands = planDemands(uses, subject)
      expect(demands).toHaveLength(1)
      expect(demands[0]).toMatchObject({ amount: 3n, max: 5n, use: narrow })
    }
  })

  test('demands come sorted by key, one a key, in whatever order the limits stand', () => {
    fc.assert(
      fc.property(fc.array(anyLimit, { maxLength: 8 }), anySubject, (limits, s) => {
        const uses = limits.map((l) => ({
          pointer: '',
          limit: l,
          amount: 1n,
          mode: 'enforce' as const,
        }))
        const demands = planDemands(uses, s)
        const keys = demands.map((d) => d.key)
        expect(keys).toEqual([...new Set(keys)].sort())
        expect(demands.reduce((sum, d) => sum + d.amount, 0n)).toBe(BigInt(limits.length))
        const reversed = planDemands([...uses].reverse(), s)
        expect(reversed.map((d) => [d.key, d.amount, d.max])).toEqual(
          demands.map((d) => [d.key, d.amount, d.max]),
        )
      }),
    )
  })
})
