import type { Json } from '../json/json.ts'
import type { ConditionDocument } from './document.ts'
import { jsonText } from './json-text.ts'
import { operators } from './operators/index.ts'
import { parsePath } from './path.ts'
import type { Patterns } from './pattern.ts'
import { compileSource } from './source.ts'
import { every, negate, some, type Truth, Unjudged } from './truth.ts'
import type { Scope } from './walk.ts'

/** Where a rule stands: what its conditions hold for decides which reading is the strict one. */
export type RuleKind = 'require' | 'deny_if' | 'approve_if'

/** A compiled condition. `decide` asks the root only; `explain` asks every part the same way. */
export interface Condition {
  /** As the policy states it, for people. */
  readonly text: string
  readonly judge: (scope: Scope) => Truth
  readonly parts: readonly Condition[]
}

/** What compiling a condition depends on. */
export interface ConditionContext {
  readonly rule: RuleKind
  readonly patterns: Patterns
  readonly timezone: string
}

/**
 * True when the condition's truth counts for the caller. It changes sides under `not`, and with it
 * the strict reading of `[*]` and of a cap on something that is missing.
 */
type Side = 'for the caller' | 'against the caller'

const otherSide = (side: Side): Side =>
  side === 'for the caller' ? 'against the caller' : 'for the caller'

/** Compiles one condition of a rule. */
export const compileCondition = (
  document: ConditionDocument,
  context: ConditionContext,
): Condition =>
  compileOn(document, context, context.rule === 'require' ? 'for the caller' : 'against the caller')

function compileOn(document: ConditionDocument, context: ConditionContext, side: Side): Condition {
  if ('all' in document) {
    const parts = document.all.map((part) => compileOn(part, context, side))
    return { text: 'all of', parts, judge: (scope) => every(parts, (part) => part.judge(scope)) }
  }
  if ('any' in document) {
    const parts = document.any.map((part) => compileOn(part, context, side))
    return { text: 'any of', parts, judge: (scope) => some(parts, (part) => part.judge(scope)) }
  }
  if ('not' in document) {
    const part = compileOn(document.not, context, otherSide(side))
    return { text: 'not', parts: [part], judge: (scope) => negate(part.judge(scope)) }
  }
  return compilePredicate(document, context, side)
}

function compilePredicate(
  document: Extract<ConditionDocument, { path: string }>,
  context: ConditionContext,
  side: Side,
): Condition {
  const text = `${document.path} ${document.op} ${operandText(document.value)}`
  const path = parsePath(document.path)
  // INVARIANT: validation refuses such a path; were one to come through, nothing is concluded.
  if (!('segments' in path))
    return { text, parts: [], judge: () => new Unjudged(document.path, path.message) }
  const operator = operators[document.op]
  const test = operator.prepare(document.value, context.patterns)
  const unjudged = (why: string): Truth => new Unjudged(path.text, why)
  const judge = compileSource<Truth>(path, context.timezone, {
    found: (value) => {
      const result = test(value)
      return typeof result === 'string' ? unjudged(result) : result
    },
    absent: absence(document, context.rule, side),
    unjudged,
    each: side === 'for the caller' ? every : some,
    usesDefaults: !operator.asksPresence && document.if_absent === undefined,
  })
  return { text, parts: [], judge }
}

/** What a predicate is when nothing is at its path. */
function absence(
  document: Extract<ConditionDocument, { path: string }>,
  rule: RuleKind,
  side: Side,
): Truth {
  if (document.if_absent !== undefined) return document.if_absent
  const operator = operators[document.op]
  // A cap that can be dodged by leaving the argument out is no cap.
  if (operator.isOrdering && (rule !== 'require' || side === 'against the caller'))
    return new Unjudged(document.path, 'it is missing')
  return operator.whenAbsent(document.value)
}

const MAX_OPERAND_TEXT = 80

function operandText(value: Json): string {
  const text = jsonText(value)
  return text.length > MAX_OPERAND_TEXT ? `${text.slice(0, MAX_OPERAND_TEXT)}…` : text
}
