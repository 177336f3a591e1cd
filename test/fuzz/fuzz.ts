import { mutate } from './mutate.ts'
import { createRandom } from './random.ts'
import type { FuzzTarget } from './target.ts'

/** What a run did. */
export interface FuzzReport {
  readonly runs: number
  readonly kinds: number
  /** Inputs of a kind that neither the seeds nor the corpus had. */
  readonly found: readonly string[]
  /** The input that broke something, and how; undefined when all held. */
  readonly broken: { readonly input: string; readonly reason: string } | undefined
}

/** The shortest input that still has a property, found by leaving stretches out. */
export function shrink(input: string, has: (text: string) => boolean): string {
  let best = input
  for (let size = best.length >> 1; size > 0; size >>= 1)
    for (let at = 0; at + size <= best.length; ) {
      const shorter = best.slice(0, at) + best.slice(at + size)
      if (has(shorter)) best = shorter
      else at += size
    }
  return best
}

const breaks =
  (target: FuzzTarget) =>
  (text: string): boolean => {
    try {
      target.check(text)
      return false
    } catch {
      return true
    }
  }

/** Tries inputs until `isOver`: first what is known, then mutations of what was of a new kind. */
export function fuzz(
  target: FuzzTarget,
  corpus: readonly string[],
  { seed, isOver }: { seed: number; isOver: () => boolean },
): FuzzReport {
  const random = createRandom(seed)
  const kinds = new Set<string>()
  const pool: string[] = []
  const found: string[] = []
  let runs = 0
  const run = (input: string): boolean => {
    runs++
    const kind = target.check(input)
    if (kinds.has(kind)) return false
    kinds.add(kind)
    return true
  }
  let input = ''
  try {
    for (input of [...target.seeds, ...corpus]) {
      run(input)
      pool.push(input)
    }
    while (!isOver()) {
      input = mutate(random.pick(pool), pool, target, random)
      if (!run(input)) continue
      pool.push(input)
      found.push(input)
    }
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    return {
      runs,
      kinds: kinds.size,
      found,
      broken: { input: shrink(input, breaks(target)), reason },
    }
  }
  return { runs, kinds: kinds.size, found, broken: undefined }
}
