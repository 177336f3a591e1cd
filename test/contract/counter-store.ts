/** What every counter store must do; each implementation runs all of it. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CounterStore } from '../../src/core/ports.ts'
import type { Demand, Reservation } from '../../src/core/quota/demand.ts'

/** An open store, and how to end it. */
export interface OpenedCounters {
  readonly counters: CounterStore
  close(): Promise<void>
}

const MINUTE = 60_000
/** The start of a minute, an hour and a day. */
const T0 = Date.parse('2026-11-23T00:00:00Z')

const demand = (more: Partial<Demand> = {}): Demand => ({
  key: 'k',
  algorithm: 'fixed',
  window: 'minute',
  amount: 1n,
  max: 3n,
  ...more,
})

const idOf = (reservation: Reservation): string => {
  if (!reservation.ok) throw new Error('the reservation was refused')
  return reservation.id
}

/** Runs the contract against a store that `open` gives, a fresh one for each test. */
export function describeCounterStore(name: string, open: () => Promise<OpenedCounters>): void {
  describe(`counters ${name}`, () => {
    let opened: OpenedCounters
    let counters: CounterStore
    beforeEach(async () => {
      opened = await open()
      counters = opened.counters
    })
    afterEach(() => opened.close())

    const reserve = (more: Partial<Demand> = {}, at = T0): Promise<Reservation> =>
      counters.reserve([demand(more)], at)
    const peek = async (more: Partial<Demand> = {}, at = T0): Promise<bigint | undefined> =>
      (await counters.peek([demand(more)], at))[0]
    const granted = async (times: number, more: Partial<Demand> = {}, at = T0): Promise<number> => {
      let all = 0
      for (let i = 0; i < times; i++) if ((await reserve(more, at)).ok) all += 1
      return all
    }

    describe('of a fixed window', () => {
      test('a limit grants its max, and then says what is used and when it resets', async () => {
        const remaining = []
        for (let i = 0; i < 3; i++) {
          const taken = await reserve({}, T0 + i)
          remaining.push(taken.ok && taken.remaining[0])
        }
        expect(remaining).toEqual([2n, 1n, 0n])
        expect(await reserve({}, T0 + 59_999)).toEqual({
          ok: false,
          exhausted: 0,
          used: 3n,
          resetsAt: T0 + MINUTE,
        })
      })

      test('the next window starts from nothing', async () => {
        expect(await granted(5)).toBe(3)
        expect(await granted(5, {}, T0 + MINUTE)).toBe(3)
      })

      test('what a busy window did not use is not added to the next', async () => {
        const max = 5000n
        expect(await granted(3000, { max })).toBe(3000)
        expect(await granted(6000, { max }, T0 + MINUTE)).toBe(5000)
        expect(await peek({ max }, T0 + MINUTE)).toBe(5000n)
      })

      test('what is released of a spent limit is there for the very next call', async () => {
        const id = idOf(await reserve())
        expect(await granted(4)).toBe(2)
        counters.release(id)
        expect(await granted(4)).toBe(1)
      })

      test('a limit of thousands grants exactly its max', async () => {
        expect(await granted(6000, { max: 5000n })).toBe(5000)
        expect(await peek({ max: 5000n })).toBe(5000n)
      })

      test('what is released can be taken again, and is exactly that much', async () => {
        const max = 2000n
        const ids = []
        for (let i = 0; i < 2000; i++) ids.push(idOf(await reserve({ max })))
        for (const id of ids.slice(0, 700)) counters.release(id)
        for (const id of ids.slice(700)) counters.settle(id)
        expect(await peek({ max })).toBe(1300n)
        expect(await granted(1000, { max })).toBe(700)
      })

      test('released when its window is over, it gives nothing back', async () => {
        const id = idOf(await reserve({ amount: 3n }))
        expect(await granted(1, { amount: 3n }, T0 + MINUTE)).toBe(1)
        counters.release(id)
        expect(await peek({}, T0 + MINUTE)).toBe(3n)
        expect(await granted(1, {}, T0 + MINUTE)).toBe(0)
      })

      test('released twice, or after it was settled, it is given back at most once', async () => {
        const first = idOf(await reserve())
        const second = idOf(await reserve())
        counters.release(first)
        counters.release(first)
        counters.settle(second)
        counters.release(second)
        counters.release('never heard of')
        expect(await peek()).toBe(1n)
      })

      test('a larger max goes on from the same count, a smaller one too', async () => {
        expect(await granted(9, { max: 3n })).toBe(3)
        expect(await granted(9, { max: 5n })).toBe(2)
        expect(await granted(9, { max: 2n })).toBe(0)
        expect(await peek()).toBe(5n)
      })

      test('a max that changes while many call is kept to from the next call on', async () => {
        expect(await granted(3000, { max: 10_000n })).toBe(3000)
        expect(await granted(1, { max: 2999n })).toBe(0)
        expect(await granted(500, { max: 3100n })).toBe(100)
        expect(await granted(7000, { max: 10_000n })).toBe(6900)
      })
    })

    describe('of a sliding window', () => {
      const sliding = { algorithm: 'sliding' } as const

      test('no more than max is granted in any window-long interval', async () => {
        expect(await granted(9, sliding, T0 + 50_000)).toBe(3)
        expect(await granted(9, sliding, T0 + 70_000)).toBe(0)
        expect(await granted(9, sliding, T0 + 109_999)).toBe(0)
      })

      test('it refuses for at most a sixtieth of the window too long, and says until when', async () => {
        await granted(3, sliding, T0 + 50_500)
        const refused = await reserve(sliding, T0 + 51_000)
        const resetsAt = refused.ok ? undefined : refused.resetsAt
        expect(resetsAt).toBe(T0 + 111_000)
        expect(await granted(1, sliding, T0 + 110_999)).toBe(0)
        expect(await granted(1, sliding, T0 + 111_000)).toBe(1)
      })

      test('what was consumed leaves little by little', async () => {
        await granted(2, sliding, T0)
        await granted(1, sliding, T0 + 30_000)
        expect(await granted(9, sliding, T0 + 61_000)).toBe(2)
        expect(await granted(9, sliding, T0 + 91_000)).toBe(1)
      })

      test('what is released can be taken again', async () => {
        const id = idOf(await reserve({ ...sliding, amount: 3n }))
        expect(await granted(1, sliding)).toBe(0)
        counters.release(id)
        expect(await granted(9, sliding)).toBe(3)
      })
    })

    describe('of what runs at once', () => {
      const concurrent = { algorithm: 'concurrent', window: undefined } as const

      test('as many as max hold a slot; the next has to wait for an end nobody knows', async () => {
        expect(await granted(3, concurrent)).toBe(3)
        expect(await reserve(concurrent)).toEqual({
          ok: false,
          exhausted: 0,
          used: 3n,
          resetsAt: undefined,
        })
      })

      test.each(['settle', 'release'] as const)('%s frees the slot', async (end) => {
        const ids = [idOf(await reserve(concurrent)), idOf(await reserve(concurrent))]
        await reserve(concurrent)
        for (const id of ids) counters[end](id)
        expect(await peek(concurrent)).toBe(1n)
        expect(await granted(9, concurrent)).toBe(2)
      })

      test('a slot is not freed by time', async () => {
        await granted(3, concurrent)
        expect(await granted(1, concurrent, T0 + 365 * 86_400_000)).toBe(0)
      })
    })

    describe('of several limits', () => {
      test('all are taken or none, and the one that did not fit is named', async () => {
        await granted(2, { key: 'b', max: 2n })
        const all = [
          demand({ key: 'a' }),
          demand({ key: 'b', max: 2n }),
          demand({ key: 'c', algorithm: 'sliding' }),
          demand({ key: 'd', algorithm: 'concurrent', window: undefined }),
        ]
        for (const demands of [all, [...all].reverse()]) {
          const refused = await counters.reserve(demands, T0)
          const named = refused.ok ? undefined : demands[refused.exhausted]?.key
          expect(named).toBe('b')
        }
        expect(await counters.peek(all, T0)).toEqual([0n, 2n, 0n, 0n])
      })

      test('all or none holds too when some of them are called often', async () => {
        const often = demand({ key: 'often', max: 100_000n })
        await granted(2000, often)
        const rare = demand({ key: 'rare', max: 5n })
        let all = 0
        for (let i = 0; i < 50; i++) if ((await counters.reserve([often, rare], T0)).ok) all += 1
        for (let i = 0; i < 50; i++) if ((await counters.reserve([rare, often], T0)).ok) all += 1
        expect(all).toBe(5)
        expect(await counters.peek([often, rare], T0)).toEqual([2005n, 5n])
      })

      test('a reservation of several is given back whole', async () => {
        const demands = [
          demand({ key: 'a' }),
          demand({ key: 'b', algorithm: 'sliding' }),
          demand({ key: 'c', algorithm: 'concurrent', window: undefined }),
        ]
        const id = idOf(await counters.reserve(demands, T0))
        expect(await counters.peek(demands, T0)).toEqual([1n, 1n, 1n])
        counters.release(id)
        expect(await counters.peek(demands, T0)).toEqual([0n, 0n, 0n])
      })

      test('two demands on one counter are counted together', async () => {
        const twice = [demand({ amount: 2n }), demand({ amount: 2n })]
        expect(await counters.reserve(twice, T0)).toMatchObject({ ok: false, exhausted: 1 })
        expect(await peek()).toBe(0n)
      })

      test('no limit at all is granted', async () => {
        expect(await counters.reserve([], T0)).toMatchObject({ ok: true, remaining: [] })
      })
    })

    describe.each(['fixed', 'sliding', 'concurrent'] as const)(
      'by the algorithm %s',
      (algorithm) => {
        test('a demand for nothing fits as long as the limit is not passed', async () => {
          await granted(3, { algorithm })
          expect(await granted(1, { algorithm, amount: 0n })).toBe(1)
          expect(await granted(1, { algorithm, amount: 0n, max: 2n })).toBe(0)
          expect(await peek({ algorithm })).toBe(3n)
        })

        test('a max of nothing denies always, and never resets', async () => {
          for (const amount of [0n, 1n])
            expect(await reserve({ algorithm, max: 0n, amount })).toEqual({
              ok: false,
              exhausted: 0,
              used: 0n,
              resetsAt: undefined,
            })
        })

        test('a demand over max is refused without a time to wait for', async () => {
          expect(await reserve({ algorithm, amount: 4n })).toMatchObject({ resetsAt: undefined })
        })

        test('a negative demand is an error and gives nothing', async () => {
          await expect(reserve({ algorithm, amount: -1n })).rejects.toThrow(/negative/)
          expect(await peek({ algorithm })).toBe(0n)
        })

        test('amounts no double holds are counted exactly', async () => {
          const big = 2n ** 53n
          expect(await granted(1, { algorithm, amount: big, max: big * 2n })).toBe(1)
          expect(await granted(1, { algorithm, amount: big + 1n, max: big * 2n })).toBe(0)
          expect(await granted(1, { algorithm, amount: big, max: big * 2n })).toBe(1)
          expect(await peek({ algorithm })).toBe(big * 2n)
        })

        test('amounts beyond any counter are refused, not wrapped around', async () => {
          expect(await granted(1, { algorithm, amount: 2n ** 80n, max: 2n ** 64n })).toBe(0)
          expect(await granted(1, { algorithm, amount: 5n, max: 2n ** 90n })).toBe(1)
          expect(await peek({ algorithm })).toBe(5n)
          const huge = { algorithm, key: 'huge', amount: 2n ** 62n, max: 2n ** 90n }
          const times = await granted(3, huge)
          expect(times).toBeGreaterThan(0)
          expect(await peek(huge)).toBe(BigInt(times) * huge.amount)
        })

        test('counters of other keys are apart', async () => {
          expect(await granted(9, { algorithm, key: 'x' })).toBe(3)
          expect(await granted(9, { algorithm, key: "x'; --" })).toBe(3)
        })

        test('a clock that is set back does not open what was spent', async () => {
          const at = T0 + 10 * MINUTE
          expect(await granted(9, { algorithm }, at)).toBe(3)
          expect(await granted(9, { algorithm }, at - 1)).toBe(0)
          expect(await granted(9, { algorithm }, at - 5 * MINUTE)).toBe(0)
          expect(await granted(9, { algorithm }, at)).toBe(0)
        })
      },
    )

    test('a call made while others are under way is counted with them', async () => {
      const calls = Array.from({ length: 500 }, () => reserve({ max: 300n }))
      const all = await Promise.all(calls)
      expect(all.filter((r) => r.ok)).toHaveLength(300)
    })

    test('counters never pass their limit, whatever is reserved, settled and released when', async () => {
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 150 }), (steps) =>
          neverPasses(counters, steps, ++runs),
        ),
        { numRuns: 60 },
      )
    }, 60_000)
  })
}

type Step =
  | {
      readonly kind: 'reserve'
      readonly times: number
      readonly uses: readonly (readonly [number, bigint])[]
    }
  | { readonly kind: 'settle' | 'release'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      times: fc.constantFrom(1, 1, 2, 40),
      uses: fc.uniqueArray(fc.tuple(fc.nat({ max: 3 }), fc.bigInt({ min: 0n, max: 4n })), {
        minLength: 1,
        maxLength: 4,
        selector: ([index]) => index,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('settle' as const, 'release' as const),
      which: fc.nat({ max: 200 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 800 }) }),
  },
)

const LIMITS = [
  { key: 'small', algorithm: 'fixed', window: 'second', max: 7n },
  { key: 'large', algorithm: 'fixed', window: 'second', max: 600n },
  { key: 'sliding', algorithm: 'sliding', window: 'second', max: 30n },
  { key: 'flight', algorithm: 'concurrent', window: undefined, max: 20n },
] as const

interface Held {
  readonly id: string
  readonly at: number
  readonly demands: readonly Demand[]
  end: 'open' | 'settled' | 'released'
}

/**
 * Plays the steps with a hand-turned clock, and holds every grant and refusal to a plain account.
 * Each run has counters and a day of its own: the store remembers, and its clock only goes forward.
 */
async function neverPasses(counters: CounterStore, steps: readonly Step[], run: number) {
  let now = T0 + run * 86_400_000
  const held: Held[] = []
  /** What counts at the least, and what may count at the most, before the next reservation. */
  const counts = (key: string, isCounted: (h: Held) => boolean): bigint =>
    held.filter(isCounted).reduce((sum, h) => {
      const d = h.demands.find((one) => one.key === key)
      return sum + (d?.amount ?? 0n)
    }, 0n)
  const kept = (h: Held): boolean => h.end !== 'released'
  const usedOf = (d: Demand): { least: bigint; most: bigint } => {
    if (d.algorithm === 'concurrent') {
      const open = counts(d.key, (h) => h.end === 'open')
      return { least: open, most: open }
    }
    if (d.algorithm === 'sliding') {
      const since = (ms: number) => counts(d.key, (h) => kept(h) && h.at > now - ms)
      // Buckets of 17 ms: what left the window less than one ago may still count.
      return { least: since(1000), most: since(1017 + 17) }
    }
    const start = Math.floor(now / 1000) * 1000
    // What was released after its window had ended is over either way.
    const used = counts(d.key, (h) => kept(h) && h.at >= start)
    return { least: used, most: used }
  }
  for (const step of steps) {
    if (step.kind === 'wait') now += step.ms
    else if (step.kind !== 'reserve') {
      const one = held[step.which % Math.max(1, held.length)]
      if (one === undefined || one.end !== 'open') continue
      counters[step.kind](one.id)
      one.end = step.kind === 'settle' ? 'settled' : 'released'
    } else
      for (let i = 0; i < step.times; i++) {
        const demands = step.uses.map(([index, amount]) => {
          const limit = LIMITS[index as 0]
          return { ...limit, key: `${run} ${limit.key}`, amount }
        })
        const result = await counters.reserve(demands, now)
        if (result.ok) {
          for (const d of demands) expect(usedOf(d).least + d.amount).toBeLessThanOrEqual(d.max)
          held.push({ id: result.id, at: now, demands, end: 'open' })
        } else {
          const d = demands[result.exhausted] as Demand
          expect(usedOf(d).most + d.amount).toBeGreaterThan(d.max)
        }
      }
  }
}
