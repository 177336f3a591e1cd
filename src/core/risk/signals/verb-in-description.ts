import { leadVerbs } from '../lead-verb.ts'
import { compareCategories, type Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/** What the first sentence says the tool does; verbs joined to its first one count with it. */
export const verbInDescription: Signal = ({ lead, description }): readonly Vote[] => {
  const { verbs, isAtStart } = leadVerbs(lead)
  const [first] = verbs
  if (first === undefined) return []
  const worst = verbs.toSorted((a, b) => compareCategories(b.category, a.category))[0] ?? first
  const quote = description.slice(0, 120)
  const weight = !isAtStart ? 0.8 : worst.isPlain ? 2 : 1.2
  return [{ category: worst.category, weight, quote }]
}
