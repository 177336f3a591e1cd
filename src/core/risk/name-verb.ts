import { compareCategories } from './model.ts'
import { judgeByObject } from './objects.ts'
import { findVerb, type Verb } from './verbs.ts'
import { wordSet } from './words.ts'

/** A verb of a name, where it stands, and what it means for its object. */
export interface PlacedVerb extends Verb {
  readonly at: number
  readonly isLast: boolean
}

/** Words that are verbs wherever they stand; their plural is too (`cache_gets`). */
const NEVER_NOUNS = wordSet(
  'get create delete remove describe fetch retrieve modify insert destroy',
)
const PREPOSITIONS = wordSet('as by for of to with')
const JOINERS = wordSet('or and')
const QUESTIONS = wordSet('is has can')
/** Nouns that turn the word before them into one as well (`trade_history`, `refund_eligibility`). */
const STATES = wordSet(
  `status state quote quotes estimate history eligibility info details stats statistics logs
   preview fee fees`,
)
const NOUNS_TOO = wordSet('run deploy import start stop restart scale provision rollback rollout')

/** The verb that a name is about; undefined when it has none. */
export function mainVerb(words: readonly string[]): PlacedVerb | undefined {
  const all = verbsIn(words)
  const joined = all.filter(({ at }) => isJoiner(words[at - 1]) || isJoiner(words[at + 1]))
  // Of two joined by `or` and `and`, the tool can do the worse one.
  if (joined.length > 1)
    return joined.toSorted((a, b) => compareCategories(b.category, a.category))[0]
  const plain = all.filter((verb) => verb.isPlain)
  const sure = plain.filter((verb) => NEVER_NOUNS.has(verb.word))
  const [first] = plain
  // `quote_swap` tells what a swap would cost.
  if (all[0]?.at === 0 && all[0].word === 'quote') return { ...all[0], isPlain: true }
  // In English order the verb stands first; in noun-verb order last, where a first word that could
  // be a noun gives way to it (`compute_vm_delete`, `deploy_plan_get`).
  if (first?.at === 0 && (sure.length === 0 || sure.includes(first))) return first
  if (sure[0] !== undefined) return isNested(first, sure[0]) ? first : sure[0]
  const last = plain.find((verb) => verb.isLast)
  // `performance_start_trace`: a reading word right behind a changing verb is what that verb is done to.
  const before = last?.category === 'Read' ? plain.find(({ at }) => at === last.at - 1) : undefined
  if (before !== undefined && before.category !== 'Read') return before
  return last ?? first ?? all.find((verb) => verb.at === 0) ?? all.at(-1)
}

const isJoiner = (word: string | undefined): boolean => word !== undefined && JOINERS.has(word)

/** True when the later verb only qualifies the first one's object (`run_get_query`). */
const isNested = (first: PlacedVerb | undefined, later: PlacedVerb): boolean =>
  first?.at === 0 && !later.isLast

function verbsIn(words: readonly string[]): readonly PlacedVerb[] {
  const found: PlacedVerb[] = []
  for (const [at, word] of words.entries()) {
    const verb = findVerb(word) ?? findPlural(word)
    if (verb === undefined) continue
    const isLast = at > 0 && at === words.length - 1
    if (QUESTIONS.has(word) && at > 0 && (word !== 'is' || isLast)) continue
    const next = words[at + 1]
    const isNoun = next !== undefined && at + 2 === words.length && STATES.has(next)
    // `mark_as_read`, `search_by_tag`: what follows such a word qualifies the verb before it.
    const qualifies = PREPOSITIONS.has(words[at - 1] ?? '')
    if (qualifies && found.length > 0 && (!verb.isPlain || verb.category === 'Read')) continue
    if (isNoun && (!verb.isPlain || verb.category === 'Financial' || NOUNS_TOO.has(word))) continue
    found.push({ ...judgeByObject(verb, words), at, isLast })
  }
  return found
}

function findPlural(word: string): Verb | undefined {
  if (!word.endsWith('s')) return undefined
  const singular = word.slice(0, -1)
  return NEVER_NOUNS.has(singular) ? findVerb(singular) : undefined
}
