import type {
  ExplainedCondition,
  ExplainedEntry,
  ExplainedLimit,
  ExplainedRule,
  ExplainedTruth,
  Explanation,
} from './explain.ts'
import type { Decision } from './model.ts'
import type { MatchReason } from './plan.ts'

type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold'
type Paint = (text: string, colour: Colour) => string

const codes: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 }
const painted: Paint = (text, colour) => `\u001b[${codes[colour]}m${text}\u001b[0m`
const plain: Paint = (text) => text

const reasons: Readonly<Record<MatchReason, string>> = {
  name: 'its name',
  glob: 'a glob',
  category: 'its risk category',
  severity: 'its severity',
  'all tools': 'every tool',
}

/** An explanation as text for people, with or without colour. */
export function formatExplanation(
  explanation: Explanation,
  options: { readonly color: boolean },
): string {
  const paint = options.color ? painted : plain
  const lines = [
    `${paint(clean(explanation.tool), 'bold')}  default ${explanation.default}${
      explanation.mode === 'observe' ? ', mode observe' : ''
    }`,
    ...explanation.notes.map((note) => `  ${paint('·', 'dim')} ${note}`),
    ...explanation.entries.flatMap((entry) => formatEntry(entry, paint)),
    ...formatDecision(explanation.decision, paint),
  ]
  return `${lines.join('\n')}\n`
}

/** Control characters of names that others chose must not reach a terminal. */
const clean = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f]/g, '\ufffd')

function formatEntry(entry: ExplainedEntry, paint: Paint): readonly string[] {
  const mode = entry.mode === 'observe' ? ', observed only' : ''
  const head = `  ${clean(entry.pointer)} ${paint(`matches by ${reasons[entry.matchedBy]}${mode}`, 'dim')}`
  const action = entry.action === 'allow' ? [] : [`    ${paint('✗', 'red')} action ${entry.action}`]
  return [
    head,
    ...action,
    ...entry.rules.flatMap((rule) => formatRule(rule, paint)),
    ...entry.limits.map((limit) => formatLimit(limit, paint)),
  ]
}

function formatRule(rule: ExplainedRule, paint: Paint): readonly string[] {
  const mark =
    rule.effect === 'deny'
      ? paint('✗', 'red')
      : rule.effect === 'approve'
        ? paint('?', 'yellow')
        : paint('✓', 'green')
  const place = clean(rule.pointer.split('/').slice(-2).join('/'))
  const name = rule.name === undefined ? '' : ` \`${clean(rule.name)}\``
  const does = { none: 'does not fire', deny: 'denies', approve: 'asks a person' }[rule.effect]
  return [
    `    ${mark} ${place}${name} ${does}`,
    ...rule.conditions.flatMap((condition) => formatCondition(condition, paint, 3)),
  ]
}

function formatCondition(
  condition: ExplainedCondition,
  paint: Paint,
  level: number,
): readonly string[] {
  const why = condition.why === undefined || condition.parts.length > 0 ? '' : `: ${condition.why}`
  return [
    `${'  '.repeat(level)}${formatTruth(condition, paint)} ${clean(condition.text)}${why}`,
    ...condition.parts.flatMap((part) => formatCondition(part, paint, level + 1)),
  ]
}

const formatTruth = ({ truth }: ExplainedTruth, paint: Paint): string =>
  paint(truth.padEnd(13), truth === 'indeterminate' ? 'yellow' : 'dim')

const formatLimit = (limit: ExplainedLimit, paint: Paint): string =>
  limit.amount === undefined
    ? `    ${paint('✗', 'red')} limit ${clean(limit.counter)}: ${limit.why ?? ''}`
    : `    ${paint('•', 'dim')} limit ${clean(limit.counter)}: consumes ${limit.amount} of ${limit.max}`

function formatDecision(decision: Decision, paint: Paint): readonly string[] {
  const colour = { allow: 'green', deny: 'red', approve: 'yellow' } as const
  const rule = decision.rule === '' ? '' : ` by ${clean(decision.rule)}`
  const message = decision.message === '' ? [] : [`   ${clean(decision.message)}`]
  const observed =
    decision.effect === 'deny' || decision.observed === undefined
      ? []
      : [
          `   ${paint(`would be ${decision.observed.effect} by ${clean(decision.observed.rule)}, observed only`, 'dim')}`,
        ]
  return [
    `${paint('=>', 'dim')} ${paint(decision.effect, colour[decision.effect])}${rule}`,
    ...message,
    ...observed,
  ]
}
