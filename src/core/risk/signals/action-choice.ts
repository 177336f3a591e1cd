import type { Category } from '../../policy/model.ts'
import { renamed, type ToolFacts } from '../facts.ts'
import { compareCategories, type Operation, type Vote } from '../model.ts'
import { mainVerb } from '../name-verb.ts'
import { MAX_TEXT, type Parameter } from '../parameters.ts'
import { splitName, wordSet } from '../words.ts'
import { money } from './money.ts'
import type { Signal } from './signal.ts'

const SELECTORS = wordSet(
  'action actions operation operations op ops method command subcommand verb',
)
/** Arguments that may choose an operation: they do when every value is one. */
const SOMETIMES = wordSet('mode task function intent')
const HTTP = wordSet('get head post put patch delete options trace connect query')
/** What a bare `cancel` ends for good; of anything else it only stops the work. */
const AGREEMENTS = /order|subscription|plan|invoice|booking|reservation|agreement|contract|policy/
/** Deeper, an `action` belongs to what the tool is given, not to the tool. */
const MAX_DEPTH = 3

/** A parameter that chooses among operations: the tool can do the worst of them. */
export const actionChoice: Signal = (facts): readonly Vote[] => {
  const votes: Vote[] = []
  const obliges = !isFilter(facts)
  for (const parameter of facts.parameters) {
    if (!isSelector(parameter)) continue
    const { name, choices, hasMore } = parameter
    if (hasMore) votes.push({ category: 'Execute', weight: 2, obliges: true, quote: name })
    const judged = judgeChoices(choices, facts)
    const [worst] = judged.toSorted((a, b) => compareCategories(b.category, a.category))
    if (worst === undefined) continue
    const quote = `${name}: ${worst.choice}`
    if (worst.category !== 'Read')
      votes.push({ category: worst.category, weight: 2, obliges, quote })
    else if (judged.length === choices.length) votes.push({ category: 'Read', weight: 1.5, quote })
  }
  return votes
}

/**
 * What a tool does for each value of the argument that chooses. A value that says nothing is
 * Execute, as a tool would be. Only arguments of the tool itself count: a policy can name them.
 */
export function operationsOf(facts: ToolFacts): readonly Operation[] {
  if (isFilter(facts)) return []
  const selector = facts.parameters.find((p) => p.depth === 0 && isSelector(p) && !p.hasMore)
  if (selector === undefined || selector.isList) return []
  // What was cut is not what the tool is called with.
  if ([selector.name, ...selector.choices].some((text) => text.length >= MAX_TEXT)) return []
  const known = new Map(judgeChoices(selector.choices, facts).map((j) => [j.choice, j.category]))
  // Where no value is a verb the argument chooses something else.
  if (known.size === 0) return []
  const nouns = facts.nameWords.filter((_, at) => at !== facts.verb?.at)
  return [...new Set(selector.choices)].map((value) => ({
    argument: selector.name,
    value,
    category: isPaying(facts, [...splitName(value, 8), ...nouns])
      ? 'Financial'
      : (known.get(value) ?? 'Execute'),
  }))
}

/** `manage_payments` with `create` moves money, as `create_payments` would. */
const isPaying = (facts: ToolFacts, words: readonly string[]): boolean =>
  money(renamed(facts, words)).length > 0

function isSelector({ words, choices, depth }: Parameter): boolean {
  const last = words.at(-1) ?? ''
  if (choices.length === 0 || depth > MAX_DEPTH) return false
  if (SOMETIMES.has(last))
    return choices.length > 1 && choices.every((c) => mainVerb(splitName(c, 8))?.isPlain === true)
  if (!SELECTORS.has(last)) return false
  // HTTP verbs describe a request that the tool stores or sends: data, not its own operations.
  return last !== 'method' || !choices.every((choice) => HTTP.has(choice.toLowerCase()))
}

/** A tool that reads by name, by description and by its hints selects by the action of others. */
const isFilter = ({ verb, said, hints }: ToolFacts): boolean =>
  verb?.isPlain === true &&
  verb.category === 'Read' &&
  said.isAtStart &&
  said.verbs.every(({ category }) => category === 'Read') &&
  hints.readOnly !== false &&
  hints.destructive !== true

const judgeChoices = (choices: readonly string[], { nameWords }: ToolFacts) =>
  choices.flatMap((choice) => {
    const category = operationCategory(choice, nameWords.join(' '))
    return category === undefined ? [] : [{ choice, category }]
  })

function operationCategory(choice: string, toolName: string): Category | undefined {
  const words = splitName(choice, 8)
  const verb = mainVerb(words)
  if (verb === undefined || (!verb.isPlain && words.length > 1)) return undefined
  if (verb.word === 'cancel' && words.length === 1 && !AGREEMENTS.test(toolName)) return 'Execute'
  return verb.category
}
