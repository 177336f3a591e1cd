import type { ToolFacts } from '../facts.ts'
import type { Vote } from '../model.ts'
import { wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

/** Things that are money, or commit to it, whatever stands around them. */
const MONEY = wordSet(
  `payment payments refund refunds invoice invoices payout payouts charge charges purchase purchases
   deposit withdrawal withdrawals checkout donation funds money trade trades swap bid
   reimbursement paylink crypto stock stocks shares loan escrow bet wager tip salary payroll bill bills
   credits rewards`,
)
/** Things that are money unless the word before or after them makes them something else. */
const ORDERS = wordSet(
  'position positions order orders subscription subscriptions transfer transaction transactions',
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
/** Assets: money once they are sent, only things while they are created or changed. */
const ASSETS = wordSet('token tokens eth btc sol usdc usdt coin coins nft crypto balance')
/** Of these a bare `send` is enough: a token may be one of access. */
const COINS = wordSet(
  'eth btc sol usdc usdt dai xrp coin coins crypto cryptocurrency bitcoin ether',
)
const SENDS = wordSet('transfer bridge swap withdraw wrap unwrap')
const PREPOSITIONS = wordSet('for in to by from with of on at via using limit market')
const APPROVES = wordSet('approve increase set')
const ALLOWANCES = wordSet('allowance spender spending spend')
const PHRASES =
  /\btop up\b|\bcash out\b|\bpay out\b|\bcheck out\b|\bcart checkout\b|\bcheckout cart\b/
const LIABILITY = /\b(liability|refund|pay)/
const AMOUNTS = wordSet('amount price quantity qty')
const CLAIMS = wordSet('dispute claim')
const NOTES = /\b(notes?|metadata|description|memo|tags?|labels?)\b/
const MOVES = wordSet(
  `create update add make send submit place modify change approve accept confirm execute process
   capture settle issue initiate transfer release schedule open close complete finalize
   authorize trigger run start replace edit patch sign broadcast bridge post set request amend claim`,
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
export const money: Signal = (facts): readonly Vote[] => {
  const { name, nameWords, lead } = facts
  const quoted: Vote = { category: 'Financial', weight: 6, obliges: true, quote: name }
  const main = facts.verb
  const said = facts.said.verbs[0]
  if (main?.category === 'Financial')
    // At the end of a name `refund` may be the thing and not the act; then the description decides.
    return (main.isPlain && !main.isLast) || said?.category !== 'Read' ? [quoted] : []
  if (PHRASES.test(nameWords.join(' '))) return [quoted]
  const isSettled = main?.isPlain === true || main?.word === 'place'
  const words = isSettled ? nameWords : [...nameWords, ...lead.slice(0, 6)]
  const verb = (isSettled ? [main] : [main, said]).find((v) => v !== undefined && moves(v.word))
  if (verb === undefined || !isMoney(facts, words, verb.word)) return []
  return isNote(facts, verb.word) ? [] : [quoted]
}

const moves = (verb: string): boolean => MOVES.has(verb) || SENDS.has(verb)

function isMoney({ nameWords, text }: ToolFacts, words: readonly string[], verb: string): boolean {
  if (verb === 'send' && nameWords.some((word) => COINS.has(word))) return true
  if (SENDS.has(verb) && nameWords.some((word) => ASSETS.has(word))) return true
  if (APPROVES.has(verb) && nameWords.some((word) => ALLOWANCES.has(word))) return true
  if (nameWords.some((word) => CLAIMS.has(word)) && LIABILITY.test(text)) return true
  return words.some((_, at) => isMoneyAt(words, at))
}

/** Editing what is written on a payment moves no money. */
const isNote = ({ lead, parameters }: ToolFacts, verb: string): boolean =>
  verb === 'update' &&
  NOTES.test(lead.join(' ')) &&
  !parameters.some((p) => p.words.some((word) => AMOUNTS.has(word)))
