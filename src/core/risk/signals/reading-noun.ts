import type { Vote } from '../model.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

/** Nouns that name an answer: a tool called after one, with no verb, returns it. */
const ANSWERS = wordSet(
  `info information status stats statistics details detail version versions logs history usage
   health metrics docs documentation guide guidance directions schema schemas types summary overview
   recommendations recommendation practices insights analysis analyzer validation validator
   similarity summarizer metadata freebusy balances output outputs top kernels trends forecast weather news quotes prices price
   balance profile capabilities helper checker lookup finder search suggestions options available
   time date examples tree diagram statistics availability help about results neighbors advice
   stat counts size context policy content resources diagnostics events reports tools regions`,
)

/** A name without a verb that ends in what it returns (`cache_stats`), or says how it finds it. */
export const readingNoun: Signal = ({ verb, nameWords, name }): readonly Vote[] => {
  if (verb?.isPlain === true) return []
  const last = nameWords.at(-1) ?? ''
  const by = nameWords.indexOf('by')
  // `customers_by_state`: the plural of things, and how they are chosen.
  const isChosen = by > 0 && by < nameWords.length - 1 && (nameWords[by - 1] ?? '').endsWith('s')
  const isQuestion = nameWords.join(' ').endsWith('who am i')
  if (!isChosen && !isQuestion && !ANSWERS.has(last)) return []
  return [{ category: 'Read', weight: 1.4, quote: name }]
}
