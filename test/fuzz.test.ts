import { describe, expect, test } from 'vitest'
import { readCorpus } from './fuzz/corpus.ts'
import { fuzz } from './fuzz/fuzz.ts'
import type { FuzzTarget } from './fuzz/target.ts'
import { targets } from './fuzz/targets.ts'

const until = (runs: number): (() => boolean) => {
  let left = runs
  return () => left-- <= 0
}

describe.each(targets)('$name', (target) => {
  test('holds for its corpus and a thousand changes of it', () => {
    const corpus = readCorpus(target)
    expect(corpus.length).toBeGreaterThan(50)
    const report = fuzz(target, corpus, { seed: 7, isOver: until(1000) })
    expect(report.broken).toBeUndefined()
    expect(report.runs).toBeGreaterThan(1000)
  })
})

describe('fuzzing', () => {
  const planted = (breaks: (text: string) => boolean): FuzzTarget => ({
    name: 'planted',
    isBytes: false,
    seeds: ['{"method":"tools/call","id":1}'],
    words: ['"x"'],
    check(text) {
      if (breaks(text)) throw new Error('broken')
      return String(text.split('{').length)
    },
  })

  test('finds what breaks, and the shortest input that does', () => {
    const report = fuzz(
      planted((text) => text.split('tools').length > 2),
      [],
      { seed: 1, isOver: until(50_000) },
    )
    expect(report.broken).toEqual({ input: 'toolstools', reason: 'broken' })
  })

  test('does the same again for the same seed', () => {
    const run = (seed: number) =>
      fuzz(
        planted(() => false),
        [],
        { seed, isOver: until(2000) },
      ).found
    expect(run(3)).toEqual(run(3))
    expect(run(3)).not.toEqual(run(4))
  })
})
