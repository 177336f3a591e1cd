import type { Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/**
 * What the server's annotations claim. They are untrusted: a claim of danger always argues, a claim
 * of harmlessness only where the name's verb does not object. An absent hint claims nothing.
 */
export const hints: Signal = ({ hints: claimed, verb }): readonly Vote[] => {
  const votes: Vote[] = []
  const objects = verb?.isPlain === true && verb.category !== 'Read'
  if (claimed.readOnly === true && !objects)
    votes.push({ category: 'Read', weight: 2, quote: 'readOnlyHint: true' })
  if (claimed.readOnly === false)
    votes.push({ category: 'Write', weight: 0.4, quote: 'readOnlyHint: false' })
  if (claimed.destructive === true)
    votes.push({ category: 'Destructive', weight: 0.8, quote: 'destructiveHint: true' })
  if (claimed.destructive === false && !(objects && verb.category === 'Destructive'))
    votes.push({ category: 'Destructive', weight: -1, quote: 'destructiveHint: false' })
  return votes
}
