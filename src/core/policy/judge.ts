import type { Condition } from './condition.ts'
import type { Entry, Rule } from './entry.ts'
import { DEFAULT_EXPIRES_MS } from './entry.ts'
import { type CompiledLimit, drawOn } from './limit.ts'
import type { ApprovalNeed, LimitUse } from './model.ts'
import { type Truth, Unjudged } from './truth.ts'
import type { Scope } from './walk.ts'

/** What a set of entries makes of a call; the order of decision is POLICY.md's. */
export type Judgement =
  | { readonly effect: 'deny'; readonly rule: string; readonly message: string }
  | {
      readonly effect: 'approve'
      readonly rule: string
      readonly message: string
      readonly need: ApprovalNeed
      readonly limits: readonly LimitUse[]
    }
  | { readonly effect: 'allow'; readonly limits: readonly LimitUse[] }

/** Something that fires: which rule, and what it says. */
interface Fired {
  readonly pointer: string
  readonly message: string
  readonly need: ApprovalNeed
}

/** Whether all conditions of a rule hold. */
export function truthOf({ conditions }: Rule, scope: Scope): Truth {
  let truth: Truth = true
  for (let i = 0; i < conditions.length; i++) {
    // Kleene's `and`, without a function for each rule that is asked.
    const next = (conditions[i] as Condition).judge(scope)
    if (next === false) return false
    if (truth === true) truth = next
  }
  return truth
}

/** Whether a rule of `require` or `deny_if` denies, given the truth of its conditions. */
export const denies = (rule: Rule, truth: Truth): boolean =>
  rule.kind === 'require' ? truth !== true : rule.kind === 'deny_if' ? truth !== false : false

const labelOf = (rule: Rule): string =>
  rule.name === undefined ? `\`${rule.pointer}\`` : `\`${rule.name}\``

/** What the caller is told; the path and why where it could not be judged, and never a value. */
export function messageOf(rule: Rule, truth: Truth): string {
  const said =
    rule.message ??
    (rule.kind === 'require' ? `not allowed by ${labelOf(rule)}` : `denied by ${labelOf(rule)}`)
  return truth instanceof Unjudged ? `${said} (${truth.message})` : said
}

const oncePerCall: Omit<ApprovalNeed, 'message'> = {
  expiresMs: DEFAULT_EXPIRES_MS,
  approvals: 1,
  rememberMs: 0,
}

/** Judges a call by entries that all apply together: deny beats approve beats allow. */
export function judge(entries: readonly Entry[], scope: Scope): Judgement {
  for (const entry of entries)
    if (entry.action === 'deny')
      return {
        effect: 'deny',
        rule: `${entry.pointer}/action`,
        message: entry.reason ?? `denied by \`${entry.pointer}/action\``,
      }
  for (const entry of entries) {
    const denied = firstDenial(entry.requires, scope)
    if (denied !== undefined) return denied
  }
  for (const entry of entries) {
    const denied = firstDenial(entry.denials, scope)
    if (denied !== undefined) return denied
  }
  const asked = approvalsOf(entries, scope)
  if ('effect' in asked) return asked
  const limits: CompiledLimit[] = []
  for (const entry of entries) limits.push(...entry.limits)
  const drawn = drawOn(limits, scope)
  if (!drawn.ok) return { effect: 'deny', rule: drawn.pointer, message: drawn.message }
  const [first] = asked.fired
  if (first === undefined) return { effect: 'allow', limits: drawn.uses }
  return {
    effect: 'approve',
    rule: first.pointer,
    message: first.message,
    need: strictest(asked.fired, first),
    limits: drawn.uses,
  }
}

function firstDenial(rules: readonly Rule[], scope: Scope): Judgement | undefined {
  for (const rule of rules) {
    const truth = truthOf(rule, scope)
    if (denies(rule, truth))
      return { effect: 'deny', rule: rule.pointer, message: messageOf(rule, truth) }
  }
  return undefined
}

function approvalsOf(
  entries: readonly Entry[],
  scope: Scope,
): { readonly fired: readonly Fired[] } | Extract<Judgement, { effect: 'deny' }> {
  const fired: Fired[] = []
  for (const entry of entries) {
    if (entry.action === 'approve') {
      const message = entry.reason ?? 'this call needs the approval of a person'
      fired.push({ pointer: `${entry.pointer}/action`, message, need: { message, ...oncePerCall } })
    }
    for (const rule of entry.approvals) {
      const truth = truthOf(rule, scope)
      if (truth instanceof Unjudged)
        return { effect: 'deny', rule: rule.pointer, message: messageOf(rule, truth) }
      if (truth && rule.need !== undefined)
        fired.push({ pointer: rule.pointer, message: rule.need.message, need: rule.need })
    }
  }
  return { fired }
}

/** One approval satisfies all that ask: the most people, the shortest wait, the shortest memory. */
const strictest = (fired: readonly Fired[], first: Fired): ApprovalNeed => ({
  message: first.message,
  expiresMs: Math.min(...fired.map((f) => f.need.expiresMs)),
  approvals: Math.max(...fired.map((f) => f.need.approvals)),
  rememberMs: Math.min(...fired.map((f) => f.need.rememberMs)),
})
