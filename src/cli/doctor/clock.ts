import { type Finding, finder } from './finding.ts'

/** Nothing of this program was written before. */
const earliest = Date.UTC(2026, 0, 1)
const mostSkewMs = 120_000

/** Is the clock plausible, and near to what servers said theirs is? */
export function checkClock(now: number, others: readonly number[]): Finding {
  const { ok, warn, fail } = finder('clock')
  const mend = 'set the clock (NTP): limits and expiry depend on it'
  if (now < earliest) return fail('it stands before 2026', mend)
  const [skew = 0] = others.map((at) => at - now).toSorted((a, b) => Math.abs(a) - Math.abs(b))
  if (Math.abs(skew) <= mostSkewMs) return ok('plausible')
  const minutes = Math.round(Math.abs(skew) / 60_000)
  return warn(`it is ${minutes} minutes ${skew > 0 ? 'behind' : 'ahead of'} the servers`, mend)
}
