import { type CompiledPolicy, compilePolicy } from './compile.ts'
import type { Condition, RuleKind } from './condition.ts'
import type { PolicyDocument } from './document.ts'
import type { Entry, Rule } from './entry.ts'
import { denies, messageOf, truthOf } from './judge.ts'
import type { AccessRequest, Decision, Mode } from './model.ts'
import type { Match, MatchReason } from './plan.ts'
import { type Truth, Unjudged } from './truth.ts'
import { type Scope, scopeOf } from './walk.ts'

/** A truth as a word, with why where it is indeterminate. */
export interface ExplainedTruth {
  readonly truth: 'true' | 'false' | 'indeterminate'
  readonly why?: string
}

/** One condition that was looked at. */
export interface ExplainedCondition extends ExplainedTruth {
  readonly text: string
  readonly parts: readonly ExplainedCondition[]
}

/** One rule that was looked at, and what it does to the call. */
export interface ExplainedRule extends ExplainedTruth {
  readonly pointer: string
  readonly kind: RuleKind
  readonly name?: string
  /** What the rule does to this call; `none` when it does not fire. */
  readonly effect: 'none' | 'deny' | 'approve'
  readonly message?: string
  readonly conditions: readonly ExplainedCondition[]
}

/** One limit that the call would draw on. */
export interface ExplainedLimit {
  readonly pointer: string
  readonly counter: string
  /** What the call consumes, as a decimal; undefined where it can't be told. */
  readonly amount?: string
  readonly max: string
  readonly why?: string
}

/** One entry of the policy that matches the tool. */
export interface ExplainedEntry {
  readonly pointer: string
  readonly key: string
  readonly matchedBy: MatchReason
  readonly mode: Mode
  readonly action: Entry['action']
  readonly rules: readonly ExplainedRule[]
  readonly limits: readonly ExplainedLimit[]
}

/** Every rule looked at, what held, and the result. */
export interface Explanation {
  readonly tool: string
  readonly default: PolicyDocument['default']
  readonly mode: Mode
  readonly decision: Decision
  /** Facts that decided before any rule did. */
  readonly notes: readonly string[]
  readonly entries: readonly ExplainedEntry[]
}

const isCompiled = (policy: CompiledPolicy | PolicyDocument): policy is CompiledPolicy =>
  'decide' in policy && typeof policy.decide === 'function'

/** Explains a decision: the same compiled conditions as `decide`, asked one by one. */
export function explain(
  policy: CompiledPolicy | PolicyDocument,
  request: AccessRequest,
): Explanation {
  const compiled = isCompiled(policy) ? policy : compilePolicy(policy)
  const { document } = compiled
  const plan = compiled.planOf(request.tool)
  const scope = scopeOf(request)
  return {
    tool: request.tool.name,
    default: document.default,
    mode: document.mode ?? 'enforce',
    decision: compiled.decide(request),
    notes: [
      ...(plan.isHidden ? ['`hide` names the tool'] : []),
      ...(plan.isListed ? [] : [`no entry matches; the default is ${document.default}`]),
      ...(plan.isStrange ? ['only an entry with this exact name could allow such a name'] : []),
      ...(plan.isNamed ||
      request.tool.isAdvertised ||
      (!plan.isListed && document.default !== 'allow')
        ? []
        : ['the server does not advertise the tool, and no entry has its exact name']),
    ],
    entries: plan.matches.map((match) => explainEntry(match, scope)),
  }
}

const explainEntry = ({ entry, reason, key }: Match, scope: Scope): ExplainedEntry => ({
  pointer: entry.pointer,
  key,
  matchedBy: reason,
  mode: entry.mode,
  action: entry.action,
  rules: [...entry.requires, ...entry.denials, ...entry.approvals].map((rule) =>
    explainRule(rule, scope),
  ),
  limits: entry.limits.map((compiled) => {
    const limit = compiled.limitFor(scope)
    const amount = compiled.amountOf(scope)
    return {
      pointer: compiled.pointer,
      counter: limit.counter,
      max: decimalText(limit.max),
      ...(typeof amount === 'bigint' ? { amount: decimalText(amount) } : { why: amount.message }),
    }
  }),
})

function explainRule(rule: Rule, scope: Scope): ExplainedRule {
  const truth = truthOf(rule, scope)
  const asks = rule.kind === 'approve_if' && truth === true
  const isDenied = denies(rule, truth) || (rule.kind === 'approve_if' && truth instanceof Unjudged)
  return {
    pointer: rule.pointer,
    kind: rule.kind,
    ...(rule.name === undefined ? {} : { name: rule.name }),
    ...told(truth),
    effect: isDenied ? 'deny' : asks ? 'approve' : 'none',
    ...(isDenied ? { message: messageOf(rule, truth) } : {}),
    ...(asks && rule.need !== undefined ? { message: rule.need.message } : {}),
    conditions: rule.conditions.map((condition) => explainCondition(condition, scope)),
  }
}

const explainCondition = (condition: Condition, scope: Scope): ExplainedCondition => ({
  text: condition.text,
  ...told(condition.judge(scope)),
  parts: condition.parts.map((part) => explainCondition(part, scope)),
})

const told = (truth: Truth): ExplainedTruth =>
  truth instanceof Unjudged
    ? { truth: 'indeterminate', why: truth.message }
    : { truth: truth ? 'true' : 'false' }

/** Millionths as a decimal number without trailing zeros. */
const decimalText = (millionths: bigint): string => {
  const digits = millionths.toString().padStart(7, '0')
  const fraction = digits.slice(-6).replace(/0+$/, '')
  return `${digits.slice(0, -6)}${fraction === '' ? '' : `.${fraction}`}`
}
