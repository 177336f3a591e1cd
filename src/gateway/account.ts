import type { Instant } from '../core/instant.ts'
import type { Denial } from '../core/mcp/reply.ts'
import type { Limit, LimitUse } from '../core/policy/model.ts'
import type { Demand } from '../core/quota/demand.ts'
import { type CounterSubject, counterKey } from '../core/quota/key.ts'
import { type PlannedDemand, planDemands } from '../core/quota/plan.ts'
import type { Caller, Gate } from './gate.ts'

/** What accounting gives: a reservation to settle or release (if any), or the refusal. */
export type Accounted =
  | {
      readonly ok: true
      readonly reservation: string | undefined
      readonly observed: Denial | undefined
    }
  | { readonly ok: false; readonly kind: 'exhausted' | 'failed'; readonly denial: Denial }

/** What a call without limits takes. */
export const UNLIMITED: Accounted = { ok: true, reservation: undefined, observed: undefined }

/** Whose counters a caller draws on. */
export const subjectOf = (caller: Caller): CounterSubject => ({
  // In a stack every member counts for itself, as its policy was written for it alone.
  grantId:
    caller.grant.stack === undefined
      ? caller.grant.id
      : counterKey(caller.grant.id, caller.server.entry.id),
  sessionId: caller.session?.id,
  server: caller.server.entry.id,
  organisation: 'default',
})

/** Takes what a call consumes from all its limits, or says which one is exhausted. */
export async function account(
  gate: Gate,
  caller: Caller,
  uses: readonly LimitUse[],
  at: Instant,
): Promise<Accounted> {
  const subject = subjectOf(caller)
  const binding = uses.filter((use) => use.mode === 'enforce')
  const observed = await watch(
    gate,
    planDemands(
      uses.filter((u) => u.mode === 'observe'),
      subject,
    ),
    at,
  )
  const demands = planDemands(binding, subject)
  if (demands.length === 0) return { ok: true, reservation: undefined, observed }
  try {
    const taken = await gate.counters.reserve(demands, at)
    if (taken.ok) return { ok: true, reservation: taken.id, observed }
    const spent = demands[taken.exhausted] as PlannedDemand
    return { ok: false, kind: 'exhausted', denial: exhaustion(spent.use, taken.resetsAt, at) }
  } catch (cause) {
    gate.log('error', { event: 'store.failed', store: 'counters', reason: reasonOf(cause) })
    const refusing = demands.find((d) => d.use.limit.onError === 'deny')
    if (refusing === undefined) return { ok: true, reservation: undefined, observed }
    return {
      ok: false,
      kind: 'failed',
      denial: {
        rule: refusing.use.pointer,
        message: 'the counter of a limit does not answer, so the call is refused; try again later',
        retryAfterSeconds: 1,
      },
    }
  }
}

/** Counts limits in observe mode: they bind nothing, but what they would have said is recorded. */
async function watch(
  gate: Gate,
  demands: readonly PlannedDemand[],
  at: Instant,
): Promise<Denial | undefined> {
  if (demands.length === 0) return undefined
  try {
    const taken = await gate.counters.reserve(demands, at)
    if (taken.ok) {
      gate.counters.settle(taken.id)
      return undefined
    }
    return exhaustion((demands[taken.exhausted] as PlannedDemand).use, taken.resetsAt, at)
  } catch (cause) {
    gate.log('error', { event: 'store.failed', store: 'counters', reason: reasonOf(cause) })
    return undefined
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown')

function exhaustion(use: LimitUse, resetsAt: Instant | undefined, at: Instant): Denial {
  const base = { rule: use.pointer, message: use.limit.message }
  if (resetsAt === undefined) return base
  const retryAfterSeconds = Math.max(1, Math.ceil((resetsAt - at) / 1000))
  return {
    ...base,
    message: `${use.limit.message}; try again in ${retryAfterSeconds} s`,
    retryAfterSeconds,
  }
}

/** Current values of the counters that a decision reads, by name, in whole units. */
export async function readCounters(
  gate: Gate,
  caller: Caller,
  limits: readonly (readonly [string, Limit])[],
  at: Instant,
): Promise<ReadonlyMap<string, number>> {
  if (limits.length === 0) return NO_COUNTERS
  const subject = subjectOf(caller)
  const demands: Demand[] = limits.flatMap(([, limit]) =>
    planDemands([{ pointer: '', limit, amount: 0n, mode: 'enforce' }], subject),
  )
  const values = await gate.counters.peek(demands, at)
  return new Map(limits.map(([name], i) => [name, Number(values[i] ?? 0n) / 1_000_000]))
}

const NO_COUNTERS: ReadonlyMap<string, number> = new Map()
