import type { Category } from '../../policy/model.ts'
import type { Parameter } from '../parameters.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

/** Words that end the name of a result member, and what a tool does that returns it. */
const results: readonly { readonly category: Category; readonly words: ReadonlySet<string> }[] = [
  { category: 'Financial', words: wordSet('receipt payout txhash') },
  { category: 'Destructive', words: wordSet('deleted removed purged dropped') },
  { category: 'Execute', words: wordSet('stdout stderr') },
  { category: 'Write', words: wordSet('created updated inserted modified upserted saved') },
]
const EXITS = /^(exit (code|status)|job run id|execution (id|arn)|command id)$/
/** A count or a list of what was done: `deletedCount`, `updated_rows`. */
const COUNTS = wordSet('count rows files ids items records')

/** What a call returns tells what it did: `deletedCount`, `exitCode`, `stdout`. */
export const outputSchema: Signal = ({ outputs, verb }) => {
  // A reading name returns `created` and `updated` as dates of what it reads.
  if (verb?.category === 'Read') return []
  for (const output of outputs) {
    if (output.depth > 0) continue
    const category = categoryOf(output)
    if (category !== undefined) return [{ category, weight: 0.8, quote: output.name }]
  }
  return []
}

function categoryOf({ words }: Parameter): Category | undefined {
  if (EXITS.test(words.join(' '))) return 'Execute'
  const tail = words.slice(-2)
  const last = tail.at(-1) ?? ''
  const told = COUNTS.has(last) ? (tail[0] ?? '') : words.length === 1 ? last : ''
  return results.find((r) => r.words.has(told))?.category
}
