import { type Judgement, judge } from './judge.ts'
import { drawOn } from './limit.ts'
import type { AccessRequest, Decision, Mode, Observed, Tool } from './model.ts'
import type { Plan } from './plan.ts'
import { type Scope, scopeOf } from './walk.ts'

/** What a policy says of tools that no entry matches. */
export type Default = 'allow' | 'deny' | 'hide'

/** Why a call is refused before any rule is asked. */
type Refusal = 'hidden' | 'default deny'

/** Names in parentheses: rules that stand nowhere in the document. */
export const HIDDEN = '(hidden)'
export const DEFAULT_DENY = '(default deny)'

/** The answer for a tool that is hidden, and for one that nobody has: the same to the byte. */
export const hiddenDecision = (
  name: string,
  what = 'tool',
): Extract<Decision, { effect: 'deny' }> => ({
  effect: 'deny',
  rule: HIDDEN,
  message: `Unknown ${what}: ${name}`,
  isHidden: true,
})

/** The part of the order that comes before any rule: hidden, not known, not listed. */
export function refusalOf(
  plan: Plan,
  byDefault: Default,
  isAdvertised: boolean,
): Refusal | undefined {
  if (plan.isHidden || plan.enforced.some((entry) => entry.action === 'hide')) return 'hidden'
  return unlistedRefusal(plan, byDefault, isAdvertised)
}

function unlistedRefusal(
  plan: Plan,
  byDefault: Default,
  isAdvertised: boolean,
): Refusal | undefined {
  if (!plan.isListed && byDefault === 'deny') return 'default deny'
  if (!plan.isListed && byDefault === 'hide') return 'hidden'
  // From here on a glob, a risk or the default may let it through: only what the server has.
  if (plan.isStrange || (!plan.isNamed && !isAdvertised)) return 'hidden'
  return undefined
}

const refuse = (refusal: Refusal, tool: Tool): Extract<Decision, { effect: 'deny' }> =>
  refusal === 'hidden'
    ? hiddenDecision(tool.name)
    : {
        effect: 'deny',
        rule: DEFAULT_DENY,
        message: 'the policy has no entry for this tool and denies by default',
        isHidden: false,
      }

/** Decides one call by its plan. Pure and total. */
export function decideBy(
  plan: Plan,
  request: AccessRequest,
  policy: { readonly default: Default; readonly mode: Mode },
): Decision {
  const { tool } = request
  const scope = scopeOf(request)
  const refusal = refusalOf(plan, policy.default, tool.isAdvertised)
  if (refusal !== undefined) {
    const denied = refuse(refusal, tool)
    if (policy.mode === 'enforce') return denied
    return allowed([], watched(plan, scope, denied))
  }
  const judgement = judge(plan.enforced, scope)
  if (judgement.effect === 'deny') return { ...judgement, isHidden: false }
  const seen = watched(plan, scope)
  const limits =
    seen.limits.length === 0
      ? judgement.limits
      : [
          ...judgement.limits,
          ...seen.limits.filter(
            (use) => !judgement.limits.some((own) => own.limit.counter === use.limit.counter),
          ),
        ]
  if (judgement.effect === 'allow') return allowed(limits, seen)
  return { ...judgement, limits, observed: seen.observed }
}

const allowed = (
  limits: Extract<Decision, { effect: 'allow' }>['limits'],
  seen: Watched,
): Decision => ({
  effect: 'allow',
  rule: '',
  message: '',
  limits: limits.length === 0 ? seen.limits : limits,
  observed: seen.observed,
})

/** What entries in `mode: observe` would have done, and what they count. */
interface Watched {
  readonly observed: Observed | undefined
  readonly limits: Extract<Decision, { effect: 'allow' }>['limits']
}

const NOTHING_WATCHED: Watched = { observed: undefined, limits: [] }

function watched(plan: Plan, scope: Scope, refused?: Observed): Watched {
  if (plan.observed.length === 0)
    return refused === undefined ? NOTHING_WATCHED : { observed: bare(refused), limits: [] }
  const hide = plan.observed.some((entry) => entry.action === 'hide')
  const judgement = judge(plan.observed, scope)
  // A limit is counted also where a rule beside it would have denied: nothing is held back here.
  const limits = judgement.effect === 'deny' ? countable(plan, scope) : judgement.limits
  if (refused !== undefined) return { observed: bare(refused), limits }
  if (hide) return { observed: bare(hiddenDecision(scope.request.tool.name)), limits }
  return { observed: judgement.effect === 'allow' ? undefined : bare(judgement), limits }
}

function countable(plan: Plan, scope: Scope): Watched['limits'] {
  const drawn = drawOn(
    plan.observed.flatMap((entry) => entry.limits),
    scope,
  )
  return drawn.ok ? drawn.uses : []
}

const bare = (decision: Observed | Exclude<Judgement, { effect: 'allow' }>): Observed => ({
  effect: decision.effect,
  rule: decision.rule,
  message: decision.message,
})
