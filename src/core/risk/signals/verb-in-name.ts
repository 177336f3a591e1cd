import type { ToolFacts } from '../facts.ts'
import type { Vote } from '../model.ts'
import type { PlacedVerb } from '../name-verb.ts'
import { findVerb } from '../verbs.ts'
import type { Signal } from './signal.ts'

const MAX_OTHERS = 2

/** The verb of the tool's name, by its place: the strongest single hint there is. */
export const verbInName: Signal = (facts): readonly Vote[] => {
  const { verb } = facts
  if (verb === undefined) return []
  const main = {
    category: verb.category,
    weight: verb.isPlain ? 3 : 1.3,
    quote: quoteOf(facts, verb),
  }
  return [main, ...others(facts, verb)]
}

/** `start … job`: the verb, and what it is done to. */
function quoteOf({ name, nameWords }: ToolFacts, verb: PlacedVerb): string {
  if (nameWords.length <= 2) return name
  const said = asWritten(name, nameWords[verb.at] ?? verb.word)
  if (verb.isLast) return said
  return `${said} … ${asWritten(name, nameWords.at(-1) ?? '')}`
}

const asWritten = (name: string, word: string): string => {
  const at = name.toLowerCase().indexOf(word)
  return at < 0 ? word : name.slice(at, at + word.length)
}

/** Other verbs of the name decide nothing, but a reader wants to see them (`export` of an export job). */
function others({ name, nameWords }: ToolFacts, main: PlacedVerb): readonly Vote[] {
  const votes: Vote[] = []
  for (const [at, word] of nameWords.entries()) {
    const verb = at === main.at ? undefined : findVerb(word)
    if (verb === undefined || (verb.isPlain && verb.category === 'Read')) continue
    votes.push({ category: verb.category, weight: 0, quote: asWritten(name, word) })
    if (votes.length >= MAX_OTHERS) break
  }
  return votes
}
