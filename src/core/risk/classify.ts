import { isObject } from '../json/json.ts'
import type { Category } from '../policy/model.ts'
import { readFacts, type ToolFacts } from './facts.ts'
import {
  type Classification,
  compareCategories,
  type Evidence,
  type Operation,
  precedence,
  type ServerContext,
  type ToolDefinition,
  type Vote,
} from './model.ts'
import { judgeSeverity, riskClasses } from './severity.ts'
import { operationsOf } from './signals/action-choice.ts'
import { signals } from './signals/index.ts'

type NamedVote = Vote & { readonly signal: string }

const MAX_QUOTE = 120

/**
 * What a tool can do, from its definition alone. Pure and total: any JSON gets a classification,
 * and one that says nothing of itself gets Execute, never Read.
 */
export function classify(tool: ToolDefinition, server?: ServerContext): Classification {
  const facts = readFacts(tool, server)
  const votes = collectVotes(facts)
  const { category, confidence } = weigh(votes, facts)
  const freeForm = votes.find((vote) => vote.signal === 'free_form')?.quote
  const judged = judgeSeverity(facts, category, freeForm)
  const isDefinition = isObject(tool) && facts.name !== ''
  return {
    category,
    riskClass: riskClasses[category],
    severity: isDefinition ? judged.severity : 'Critical',
    confidence,
    evidence: [...evidenceOf(votes), ...judged.evidence],
    operations: operationsWithin(facts, category),
  }
}

/** Operations that are all milder than the tool do not explain it: then there are none to tell apart. */
function operationsWithin(facts: ToolFacts, category: Category): readonly Operation[] {
  const operations = operationsOf(facts)
  return operations.some((o) => compareCategories(o.category, category) >= 0) ? operations : []
}

function collectVotes(facts: ToolFacts): readonly NamedVote[] {
  const votes: NamedVote[] = []
  for (const [signal, read] of Object.entries(signals))
    for (const vote of read(facts)) votes.push({ ...vote, signal })
  return votes
}

/** Adds up what each signal argues; a tie goes to the more dangerous; floors raise the result. */
function weigh(votes: readonly NamedVote[], facts: ToolFacts) {
  const scores = new Map<Category, number>(precedence.map((category) => [category, 0]))
  let total = 0
  for (const { category, weight } of votes) {
    scores.set(category, (scores.get(category) ?? 0) + weight)
    total += Math.max(weight, 0)
  }
  let category: Category = 'Read'
  for (const next of precedence)
    if ((scores.get(next) ?? 0) >= (scores.get(category) ?? 0)) category = next
  for (const vote of votes)
    if (vote.obliges === true && compareCategories(vote.category, category) > 0)
      category = vote.category
  const share = total === 0 ? 0 : Math.max(scores.get(category) ?? 0, 0) / total
  const doubt = facts.description === '' ? 0.7 : 1
  return { category, confidence: Math.round(Math.min(share, 1) * doubt * 100) / 100 }
}

/** Every vote that was cast, heaviest first, without repeats; the default only where nothing else spoke. */
function evidenceOf(votes: readonly NamedVote[]): readonly Evidence[] {
  const told = votes.filter((vote) => vote.signal !== 'unknown' || vote.obliges === true)
  const seen = new Set<string>()
  return (told.length === 0 ? votes : told)
    .toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .map(({ signal, quote }) => ({ signal, quote: quote.slice(0, MAX_QUOTE) }))
    .filter(({ signal, quote }) => {
      const key = `${signal} ${quote}`
      return seen.has(key) ? false : seen.add(key)
    })
}
