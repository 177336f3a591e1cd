import type { Run, Status } from './run-model.ts'

/** A check that went another way through the gateway than when the server was asked directly. */
export interface Difference {
  readonly scenario: string
  readonly check: string
  readonly direct: Status | 'absent'
  readonly through: Status | 'absent'
  /** What the suite said of it, if it failed. */
  readonly error: string | undefined
}

/** What a run through the gateway kept of a direct one. */
export interface Comparison {
  readonly kept: number
  readonly lost: readonly Difference[]
  readonly gained: readonly Difference[]
  /** Neither passed before nor after, yet not the same. */
  readonly other: readonly Difference[]
}

/** Compares two runs check by check. */
export function compare(direct: Run, through: Run): Comparison {
  let kept = 0
  const lost: Difference[] = []
  const gained: Difference[] = []
  const other: Difference[] = []
  for (const scenario of union(direct, through)) {
    const before = direct[scenario]?.checks ?? {}
    const after = through[scenario]?.checks ?? {}
    for (const check of union(before, after)) {
      const difference: Difference = {
        scenario,
        check,
        direct: before[check] ?? 'absent',
        through: after[check] ?? 'absent',
        error: through[scenario]?.errors[check],
      }
      if (difference.direct === difference.through) {
        if (difference.direct === 'SUCCESS') kept += 1
      } else if (difference.direct === 'SUCCESS') lost.push(difference)
      else if (difference.through === 'SUCCESS') gained.push(difference)
      else other.push(difference)
    }
  }
  return { kept, lost, gained, other }
}

const union = (a: object, b: object): readonly string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
