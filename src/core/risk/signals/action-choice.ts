import type { Category } from '../../policy/model.ts'
import type { ToolFacts } from '../facts.ts'
import { compareCategories, type Vote } from '../model.ts'
import { mainVerb } from '../name-verb.ts'
import { splitName, wordSet } from '../words.ts'
import type { Signal } from './signal.ts'

const SELECTORS = wordSet(
  'action actions operation operations op ops method command subcommand verb',
)
const HTTP = wordSet('get head post put patch delete options trace connect query')
/** What a bare `cancel` ends for good; of anything else it only stops the work. */
const AGREEMENTS = /order|subscription|plan|invoice|booking|reservation|agreement|contract|policy/
/** Deeper, an `action` belongs to what the tool is given, not to the tool. */
const MAX_DEPTH = 3

/** A parameter that chooses among operations: the tool can do the worst of them. */
export const actionChoice: Signal = (facts): readonly Vote[] => {
  const votes: Vote[] = []
  const obliges = !isFilter(facts)
  for (const { name, words, choices, hasMore, depth } of facts.parameters) {
    if (choices.length === 0 || depth > MAX_DEPTH || !SELECTORS.has(words.at(-1) ?? '')) continue
    // HTTP verbs describe a request that the tool stores or sends: data, not its own operations.
    if (words.at(-1) === 'method' && choices.every((choice) => HTTP.has(choice.toLowerCase())))
      continue
    if (hasMore) votes.push({ category: 'Execute', weight: 2, obliges: true, quote: name })
    const judged = judgeChoices(choices, facts.nameWords.join(' '))
    const [worst] = judged.toSorted((a, b) => compareCategories(b.category, a.category))
    if (worst === undefined) continue
    const quote = `${name}: ${worst.choice}`
    if (worst.category !== 'Read')
      votes.push({ category: worst.category, weight: 2, obliges, quote })
    else if (judged.length === choices.length) votes.push({ category: 'Read', weight: 1.5, quote })
  }
  return votes
}

/** A tool that reads by name, by description and by its hints selects by the action of others. */
const isFilter = ({ verb, said, hints }: ToolFacts): boolean =>
  verb?.isPlain === true &&
  verb.category === 'Read' &&
  said.isAtStart &&
  said.verbs.every(({ category }) => category === 'Read') &&
  hints.readOnly !== false &&
  hints.destructive !== true

const judgeChoices = (choices: readonly string[], toolName: string) =>
  choices.flatMap((choice) => {
    const category = operationCategory(choice, toolName)
    return category === undefined ? [] : [{ choice, category }]
  })

function operationCategory(choice: string, toolName: string): Category | undefined {
  const words = splitName(choice, 8)
  const verb = mainVerb(words)
  if (verb === undefined || (!verb.isPlain && words.length > 1)) return undefined
  if (verb.word === 'cancel' && words.length === 1 && !AGREEMENTS.test(toolName)) return 'Execute'
  return verb.category
}
