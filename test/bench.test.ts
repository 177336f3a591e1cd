import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { callBody } from '../bench/gateway/call.ts'
import { goals, projectedMb } from '../bench/gateway/goals.ts'
import { markdownTable, shown } from '../bench/gateway/markdown.ts'
import { help, readOptions } from '../bench/gateway/options.ts'
import { report } from '../bench/gateway/report.ts'
import { median, pairedRatio, rotated } from '../bench/gateway/statistics.ts'
import type { Sample } from '../bench/gateway/under-load.ts'
import { variantNames, withYardsticks } from '../bench/gateway/variants.ts'

const figures = (...values: number[]) => values.map((value, round) => ({ round, value }))

describe('the median', () => {
  test.each([
    [[3, 1, 2], 2],
    [[10, 9, 1, 2], 5.5],
    [[7], 7],
    [[Number.NaN, 4, Number.POSITIVE_INFINITY, 2, 3], 3],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle)
  })

  test('of nothing is no number', () => {
    expect(median([])).toBeNaN()
  })

  test('leaves its values in their order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('a paired ratio', () => {
  test('is not moved by a round that was slow for both', () => {
    expect(pairedRatio(figures(13, 130, 13), figures(10, 100, 10))).toBe(1.3)
  })

  test('is the median of ratios, not the ratio of medians', () => {
    expect(pairedRatio(figures(2, 30, 9), figures(1, 10, 9))).toBe(2)
  })

  test('leaves out rounds that the yardstick does not have', () => {
    expect(pairedRatio(figures(2, 9, 9), figures(1))).toBe(2)
  })

  test('of no common round is no number', () => {
    expect(pairedRatio(figures(2), [])).toBeNaN()
  })
})

test('over as many rounds as items each item is once in each place', () => {
  const items = ['a', 'b', 'c']
  const orders = items.map((_, round) => rotated(items, round))
  for (const [place] of items.entries())
    expect(orders.map((order) => order[place]).toSorted()).toEqual(items)
  expect(rotated(items, 3)).toEqual(items)
  expect(rotated([], 3)).toEqual([])
})

describe('a table', () => {
  test('has one line a row, numbers to the right', () => {
    expect(markdownTable(['what', 'ms'], [['start', '12']])).toBe(
      '| what | ms |\n| --- | ---: |\n| start | 12 |\n',
    )
  })

  test('keeps a bar inside its cell', () => {
    expect(markdownTable(['what'], [['a|b']])).toContain('| a\\|b |')
  })

  test.each([
    [12_345.6, 0, '12,346'],
    [1.346, 2, '1.35'],
    [Number.NaN, 2, '–'],
  ])('shows %d with %d digits as %s', (value, digits, text) => {
    expect(shown(value, digits)).toBe(text)
  })
})

describe('the command line', () => {
  test('without words measures everything', () => {
    expect(readOptions([])).toMatchObject({
      parts: ['load', 'start', 'idle'],
      only: variantNames,
      conns: [16],
    })
  })

  test('with variants named, and no part, is about load', () => {
    expect(readOptions(['--only', 'rules,denied'])).toMatchObject({
      parts: ['load'],
      only: ['rules', 'denied'],
    })
  })

  test.each([
    [['--rounds', '0'], '--rounds'],
    [['--conns', '1,x'], '--conns'],
    [['--only', 'rulez'], 'rulez'],
    [['everything'], 'everything'],
    [['--fast'], '--fast'],
  ])('%j is refused by one line that names what is wrong', (argv, wrong) => {
    expect(() => readOptions(argv)).toThrow(wrong)
    expect(() => readOptions(argv)).not.toThrow('\n')
  })

  test('asks for help with --help, which names every variant', () => {
    expect(readOptions(['--help'])).toBeUndefined()
    for (const name of variantNames) expect(help).toContain(name)
  })
})

test('the yardstick of a variant runs with it, once', () => {
  expect(withYardsticks(['gate-64k', 'rules', 'denied'])).toEqual([
    'bare',
    'rules',
    'denied',
    'bare-64k',
    'gate-64k',
  ])
})

test('the measured call has some 490 bytes', () => {
  expect(Math.abs(Buffer.byteLength(callBody) - 490)).toBeLessThan(10)
})

const sample = (variant: Sample['variant'], more: Partial<Sample>): Sample => ({
  ...{ variant, round: 0, conns: 16, cpuUs: 40, memoryMb: 90, others: 0.01 },
  ...{ requests: 1000, perSecond: 20_000, p50: 700, p99: 1500, errors: 0 },
  ...more,
})

describe('goals', () => {
  test('are judged at their bound', () => {
    const judge = (cpuUs: number) =>
      goals({
        samples: [sample('bare', { cpuUs: 100 }), sample('rules', { cpuUs })],
        start: undefined,
        idle: undefined,
      })
    expect(judge(135)[0]).toMatchObject({ value: 1.35, isMet: true })
    expect(judge(136)[0]).toMatchObject({ value: 1.36, isMet: false })
  })

  test('of throughput are missed when it is too small', () => {
    const samples = [
      sample('bare-64k', { perSecond: 10_000 }),
      sample('gate-64k', { perSecond: 8900 }),
    ]
    expect(goals({ samples, start: undefined, idle: undefined })).toMatchObject([
      { value: 0.89, isMet: false },
    ])
  })

  test('that nobody measured are not judged', () => {
    expect(goals({ samples: [], start: undefined, idle: undefined })).toEqual([])
  })

  test('of idle streams count what the gateway takes without any', () => {
    expect(projectedMb({ streams: 100, memoryBeforeMb: 80, memoryMb: 84 }, 10_000)).toBe(480)
  })
})

test('a report says how it was made, what was measured, and what is missed', () => {
  const text = report(
    { command: 'node bench/run.ts', machine: 'a machine', node: 'v24', date: 'today' },
    {
      samples: [sample('bare', { cpuUs: 40 }), sample('rules', { cpuUs: 80 })],
      start: { starts: 9, listeningMs: 150, answeredMs: 170 },
      idle: undefined,
    },
    { rounds: 1, secs: 3 },
  )
  for (const part of ['`node bench/run.ts`', 'a machine', 'v24', 'today'])
    expect(text).toContain(part)
  expect(text).toContain('| bare proxy | 40.0 | 1.00 |')
  expect(text).toContain('| gate, ten predicates | 80.0 | 2.00 |')
  expect(text).toContain('Missed: ten predicates: CPU, to the bare proxy.')
  expect(text).not.toContain('Idle')
})

test('the page about benchmarks shows a whole report, goals included', () => {
  const page = readFileSync('docs/benchmarks.md', 'utf8')
  for (const heading of ['### Under load', '### Start', '### Idle event streams', '### Goals'])
    expect(page).toContain(heading)
  expect(page).toMatch(/^- command: `node bench\/run\.ts/m)
})
