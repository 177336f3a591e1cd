import { judgeByObject } from './objects.ts'
import { findInflected, type Verb } from './verbs.ts'
import { wordSet } from './words.ts'

/** Words that stand before the verb of a description and say nothing of it. */
const FILLERS = wordSet(
  `this the a an tool tools function command operation endpoint api method mcp will allows allow you
   your to can could use used using lets let helps help enables enable users user agent agents ai it is
   be that which for when please simply easily quickly automatically safely directly also only just
   perform performs performing support supports supporting provides ability do does
   locally immediately permanently asynchronously internal called by backend actually permits
   new primary main utility helper interface make makes making`,
)
const JOINERS = wordSet('and or then , /')
const NEGATIONS = wordSet('not never without cannot no don doesn')
const REACH = 14

/** The verbs that tell what a description is about, and whether they begin it. */
export interface LeadVerbs {
  readonly verbs: readonly Verb[]
  readonly isAtStart: boolean
  /** The first of them as it is written, in lower case. */
  readonly spoken: string
}

/** The verbs of a first sentence: the first one, and those joined to it (`create, update or delete`). */
export function leadVerbs(lead: readonly string[]): LeadVerbs {
  const verbs: Verb[] = []
  let isAtStart = true
  for (let at = 0; at < lead.length && at < REACH; at++) {
    const word = lead[at] ?? ''
    if (FILLERS.has(word)) continue
    const verb = findInflected(word)
    const isNegated = NEGATIONS.has(lead[at - 1] ?? '') || NEGATIONS.has(lead[at - 2] ?? '')
    if (verb === undefined || isNegated || (!isAtStart && !verb.isPlain)) {
      isAtStart = false
      continue
    }
    const around = lead.slice(at, at + 9)
    verbs.push(judgeByObject(verb, around))
    let isJoined = false
    for (const joined of lead.slice(at + 1, at + 12)) {
      if (JOINERS.has(joined)) {
        isJoined = true
        continue
      }
      const other = isJoined ? findInflected(joined) : undefined
      if (other?.isPlain !== true) break
      verbs.push(judgeByObject(other, around))
      isJoined = false
    }
    return { verbs, isAtStart, spoken: word }
  }
  return { verbs, isAtStart: false, spoken: '' }
}
