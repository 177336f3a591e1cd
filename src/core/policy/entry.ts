import { type Condition, compileCondition, type RuleKind } from './condition.ts'
import type {
  ApprovalRuleDocument,
  ConditionDocument,
  EntryDocument,
  RuleDocument,
} from './document.ts'
import { parseDuration } from './duration.ts'
import { type CompiledLimit, compileLimit, compileRate } from './limit.ts'
import type { ApprovalNeed, Mode } from './model.ts'
import type { Patterns } from './pattern.ts'
import { below } from './pointer.ts'

/** A compiled rule of `require`, `deny_if` or `approve_if`. */
export interface Rule {
  readonly pointer: string
  readonly kind: RuleKind
  readonly name: string | undefined
  readonly conditions: readonly Condition[]
  /** What the caller is told when it fires; undefined where the policy says nothing. */
  readonly message: string | undefined
  readonly need: ApprovalNeed | undefined
}

/** A compiled entry: the rules of a tool, a glob, a risk, or all tools. */
export interface Entry {
  readonly pointer: string
  readonly mode: Mode
  readonly action: 'allow' | 'deny' | 'hide' | 'approve'
  readonly reason: string | undefined
  readonly requires: readonly Rule[]
  readonly denials: readonly Rule[]
  readonly approvals: readonly Rule[]
  readonly limits: readonly CompiledLimit[]
}

/** What compiling an entry depends on. */
export interface EntryContext {
  readonly patterns: Patterns
  readonly timezone: string
}

/** How long an approval is waited for where the policy says nothing. */
export const DEFAULT_EXPIRES_MS = 15 * 60_000

const rulesOf = <R extends RuleDocument | ApprovalRuleDocument>(
  documents: readonly R[] | undefined,
  kind: RuleKind,
  context: EntryContext & { readonly entry: string },
): readonly Rule[] =>
  (documents ?? []).map((document, i) => ({
    pointer: below(below(context.entry, kind), i),
    kind,
    name: document.name,
    conditions: document.conditions.map((condition: ConditionDocument) =>
      compileCondition(condition, { ...context, rule: kind }),
    ),
    message: 'on_deny' in document ? document.on_deny : undefined,
    need: kind === 'approve_if' ? needOf(document) : undefined,
  }))

function needOf(document: ApprovalRuleDocument): ApprovalNeed {
  const { remember } = document
  return {
    message: document.message ?? document.name ?? 'this call needs the approval of a person',
    expiresMs: parseDuration(document.expires ?? '') ?? DEFAULT_EXPIRES_MS,
    approvals: document.approvals ?? 1,
    rememberMs: remember === undefined ? 0 : (parseDuration(remember) ?? 0),
  }
}

/** Compiles one entry. */
export function compileEntry(
  document: EntryDocument,
  pointer: string,
  context: EntryContext,
): Entry {
  const mode = document.mode ?? 'enforce'
  const inEntry = { ...context, entry: pointer }
  const limits = (document.limits ?? []).map((limit, i) =>
    compileLimit(limit, below(below(pointer, 'limits'), i), mode),
  )
  const rate = document.rate_limit
  return {
    pointer,
    mode,
    action: document.action ?? 'allow',
    reason: document.reason,
    requires: rulesOf(document.require, 'require', inEntry),
    denials: rulesOf(document.deny_if, 'deny_if', inEntry),
    approvals: rulesOf(document.approve_if, 'approve_if', inEntry),
    limits: rate === undefined ? limits : [...limits, compileRate(rate, pointer, mode)],
  }
}
