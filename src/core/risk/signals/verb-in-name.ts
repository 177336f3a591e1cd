import type { Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/** The verb of the tool's name, by its place: the strongest single hint there is. */
export const verbInName: Signal = ({ verb, name }): readonly Vote[] => {
  if (verb === undefined) return []
  return [{ category: verb.category, weight: verb.isPlain ? 3 : 1.3, quote: name }]
}
