import { compareCategories, type Vote } from '../model.ts'
import type { Signal } from './signal.ts'

const MAX_QUOTE = 48

/** What the first sentence says the tool does; verbs joined to its first one count with it. */
export const verbInDescription: Signal = ({ said, description, title }): readonly Vote[] => {
  const { verbs, isAtStart, spoken } = said
  const [first] = verbs
  if (first === undefined) return []
  const worst = verbs.toSorted((a, b) => compareCategories(b.category, a.category))[0] ?? first
  const quote = fewWords(description === '' ? title : description, spoken)
  // Of verbs joined by `and`, the one that changes something is what the name left out.
  const isHidden = isAtStart && worst !== first
  // Elsewhere a reading verb is too little to outweigh the default.
  const isRead = worst.category === 'Read'
  const weight = !isAtStart ? (isRead ? 0.4 : 0.8) : isHidden ? 3 : worst.isPlain ? 2 : 1.2
  return [{ category: worst.category, weight, quote }]
}

/** The words of a text from a verb on, whole ones. */
function fewWords(text: string, verb: string): string {
  const at = Math.max(0, text.slice(0, 400).toLowerCase().indexOf(verb))
  const cut = text.slice(at, at + MAX_QUOTE)
  const end = cut.lastIndexOf(' ')
  return text.length - at <= MAX_QUOTE || end < verb.length ? cut : cut.slice(0, end)
}
