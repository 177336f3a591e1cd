import { compareCategories, type Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/** What the first sentence says the tool does; verbs joined to its first one count with it. */
export const verbInDescription: Signal = ({ said, description, title }): readonly Vote[] => {
  const { verbs, isAtStart } = said
  const [first] = verbs
  if (first === undefined) return []
  const worst = verbs.toSorted((a, b) => compareCategories(b.category, a.category))[0] ?? first
  const quote = (description === '' ? title : description).slice(0, 120)
  // Of verbs joined by `and`, the one that changes something is what the name left out.
  const isHidden = isAtStart && worst !== first
  // Elsewhere a reading verb is too little to outweigh the default.
  const isRead = worst.category === 'Read'
  const weight = !isAtStart ? (isRead ? 0.4 : 0.8) : isHidden ? 3 : worst.isPlain ? 2 : 1.2
  return [{ category: worst.category, weight, quote }]
}
