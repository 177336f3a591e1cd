import { compareCategories } from './model.ts'
import { judgeByObject } from './objects.ts'
import { findVerb, type Verb } from './verbs.ts'

/** A verb of a name, where it stands, and what it means for its object. */
export interface PlacedVerb extends Verb {
  readonly at: number
  readonly place: 'first' | 'last' | 'inside'
}

/** Every word of the name that is a verb, judged with the words around it. */
export function verbsInName(words: readonly string[]): readonly PlacedVerb[] {
  const found: PlacedVerb[] = []
  for (const [at, word] of words.entries()) {
    const verb = findVerb(word) ?? pluralVerb(word)
    if (
      verb === undefined ||
      (QUESTIONS.has(word) && at > 0 && verb.category === 'Read' && !isAsking(words, at))
    )
      continue
    const place = at === 0 ? 'first' : at === words.length - 1 ? 'last' : 'inside'
    found.push({ ...judgeByObject(verb, words), at, place })
  }
  return found
}

const QUESTIONS = new Set(['is', 'has', 'can'])
const isAsking = (words: readonly string[], at: number): boolean =>
  words[at] === 'is' && at < words.length - 1

/** `deletes` is a verb; `exports` and `orders` are things. */
const pluralVerb = (word: string): Verb | undefined => {
  if (!word.endsWith('s')) return undefined
  const verb = findVerb(word.slice(0, -1))
  return verb?.isPlain && SINGULAR_ONLY.has(verb.word) ? verb : undefined
}
const SINGULAR_ONLY = new Set(['get', 'delete', 'create', 'list', 'remove', 'fetch', 'send'])

const worst = (verbs: readonly PlacedVerb[]): PlacedVerb | undefined =>
  verbs.toSorted((a, b) => compareCategories(b.category, a.category))[0]

/**
 * The verb that a name is about: in English order it comes first, in noun-verb order last, and
 * behind a product's prefix in between. Of two joined by `or` and `and`, the worse one counts.
 */
export function mainVerb(words: readonly string[]): PlacedVerb | undefined {
  const all = verbsInName(words)
  const plain = all.filter((v) => v.isPlain)
  const joined = all.filter(
    (v) => JOINERS.has(words[v.at - 1] ?? '') || JOINERS.has(words[v.at + 1] ?? ''),
  )
  if (joined.length > 1) return worst(joined)
  const first = plain.find((v) => v.place === 'first')
  const last = plain.find((v) => v.place === 'last')
  if (first !== undefined) return first
  return last ?? plain[0] ?? all.find((v) => v.place === 'first') ?? all.at(-1)
}
const JOINERS = new Set(['or', 'and'])
