import { leadVerbs } from '../lead-verb.ts'
import type { Vote } from '../model.ts'
import { mainVerb } from '../name-verb.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

/** Things that are money, or commit to it, whatever stands around them. */
const MONEY = wordSet(
  `payment payments refund refunds invoice invoices payout payouts charge charges purchase purchases
   deposit withdrawal withdrawals checkout donation funds money trade trades swap bid
   reimbursement paylink crypto stock stocks shares loan escrow bet wager tip salary payroll`,
)
/** Things that are money unless the word before or after them makes them something else. */
const ORDERS = wordSet(
  'order orders subscription subscriptions transfer transaction transactions position',
)
const NOT_MONEY = wordSet(
  `work sort tab display webhook webhooks notification notifications topic event events pubsub sns
   repository repo azure feed newsletter mailing graphql push email database db sql metadata data file
   files job ownership call cursor mouse column list channel calendar chain`,
)
/** What a money word may be followed by and still be what the tool is about. */
const HEADS = wordSet(
  'link links intent session request order transaction item items schedule batch claim',
)
const PREPOSITIONS = wordSet('for in to by from with of on at via using limit market')
const CLAIMS = wordSet('accept_dispute dispute claim')
const NOTES = /\b(notes?|metadata|description|memo|tags?|labels?)\b/
const MOVES = wordSet(
  `create update add make send submit place modify change approve accept confirm execute process
   capture settle issue initiate transfer authorize release schedule open close complete finalize
   trigger run start replace edit patch sign broadcast bridge post set request amend claim`,
)

const isMoneyAt = (words: readonly string[], at: number): boolean => {
  const word = words[at] ?? ''
  const after = words[at + 1]
  const isHead =
    after === undefined ||
    HEADS.has(after) ||
    PREPOSITIONS.has(after) ||
    MONEY.has(after) ||
    ORDERS.has(after) ||
    MOVES.has(after)
  if (!isHead) return false
  return MONEY.has(word) || (ORDERS.has(word) && !words.some((w) => NOT_MONEY.has(w)))
}

/** Money is moved or committed: a verb of money, or a money noun under a verb that changes things. */
export const money: Signal = ({ name, nameWords, lead, text, parameters }): readonly Vote[] => {
  const main = mainVerb(nameWords)
  if (main?.category === 'Financial') {
    // `buy`, `refund` and `swap` are verbs only where no reading verb stands before them.
    return main.isPlain && main.place !== 'last'
      ? [vote(name)]
      : isMoneyText(lead)
        ? [vote(name)]
        : []
  }
  const verb = main ?? leadVerbs(lead).verbs[0]
  if (verb === undefined || !MOVES.has(verb.word)) return []
  const isNamed = nameWords.some((_, at) => isMoneyAt(nameWords, at))
  const isClaim = nameWords.some((w) => CLAIMS.has(w)) && /\b(liability|refund|pay)/.test(text)
  if (!isNamed && !isClaim) return []
  const isNote =
    verb.word === 'update' &&
    NOTES.test(lead.join(' ')) &&
    !parameters.some((p) => /amount|price|quantity|qty/.test(p.name))
  return isNote ? [{ ...vote(name), weight: -1 }] : [vote(name)]
}

const vote = (quote: string): Vote => ({ category: 'Financial', weight: 6, obliges: true, quote })
const isMoneyText = (lead: readonly string[]): boolean => lead.some((_, at) => isMoneyAt(lead, at))
