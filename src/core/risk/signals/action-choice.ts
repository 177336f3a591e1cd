import type { Category } from '../../policy/model.ts'
import { compareCategories, type Vote } from '../model.ts'
import { mainVerb } from '../name-verb.ts'
import { splitName, wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

const SELECTORS = wordSet(
  'action actions operation operations op ops method command subcommand verb',
)
const HTTP = wordSet('get head post put patch delete options trace connect query')

/** A parameter that chooses among operations: the tool can do the worst of them. */
export const actionChoice: Signal = ({ parameters, nameWords }): readonly Vote[] => {
  const votes: Vote[] = []
  const toolName = nameWords.join(' ')
  for (const { name, words, choices } of parameters) {
    if (choices.length === 0 || !SELECTORS.has(words.at(-1) ?? '')) continue
    // HTTP verbs describe a request that the tool stores or sends: data, not its own operations.
    if (choices.every((choice) => HTTP.has(choice.toLowerCase())) && words.at(-1) === 'method')
      continue
    const judged = choices.flatMap((choice) => {
      const category = operationCategory(choice, toolName)
      return category === undefined ? [] : [{ choice, category }]
    })
    const worst = judged.toSorted((a, b) => compareCategories(b.category, a.category))[0]
    if (worst === undefined) continue
    const quote = `${name}: ${worst.choice}`
    if (worst.category !== 'Read')
      votes.push({ category: worst.category, weight: 2, obliges: true, quote })
    else if (judged.length === choices.length) votes.push({ category: 'Read', weight: 1.5, quote })
  }
  return votes
}

/** What a bare `cancel` ends for good; of anything else it only stops the work. */
const AGREEMENTS = /order|subscription|plan|invoice|booking|reservation|agreement|contract|policy/

function operationCategory(choice: string, name: string): Category | undefined {
  const words = splitName(choice, 8)
  const verb = mainVerb(words)
  if (verb === undefined || (!verb.isPlain && words.length > 1)) return undefined
  if (verb.word === 'cancel' && words.length === 1 && !AGREEMENTS.test(name)) return 'Execute'
  return verb.category
}
