/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to `most` - 1. */
  below(most: number): number
  /** One of a list. */
  pick<T>(list: readonly T[]): T
}

/** A generator for a seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return {
    below: (most) => next() % most,
    pick(list) {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[next() % list.length] as never
    },
  }
}
