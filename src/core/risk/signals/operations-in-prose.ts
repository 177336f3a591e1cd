import type { Vote } from '../model.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

/** Verbs of names that say only that there is more than one operation. */
const GENERIC = wordSet(
  'manage write operate handle command lifecycle control administer action operation process organize',
)
const DELETES = /\b(?:delete|remove|destroy|drop|purge|terminate)(?:s|-[a-z]+)?\b/
const NEGATED = /\b(?:not|never|cannot|can't|won't|without|no)\s+(?:\w+\s+){0,2}$/

/** A tool of many operations whose description, and nothing else, names a delete. */
export const operationsInProse: Signal = ({ verb, text, description }): readonly Vote[] => {
  if (verb !== undefined && !GENERIC.has(verb.word)) return []
  const found = DELETES.exec(text)
  if (found === null || NEGATED.test(text.slice(Math.max(0, found.index - 40), found.index)))
    return []
  // From the start of the word that stands some way before it.
  const before = description.slice(Math.max(0, found.index - 24), found.index)
  const from = found.index - before.length + (before.indexOf(' ') + 1)
  const quote = description.slice(from, found.index + found[0].length + 24)
  const isGeneric = verb !== undefined
  return [{ category: 'Destructive', weight: isGeneric ? 2.5 : 0.5, obliges: isGeneric, quote }]
}
