/** The revisions that the suite has a set of requirements for. */
export const REVISIONS = ['2025-11-25', '2026-07-28'] as const
export type Revision = (typeof REVISIONS)[number]

export type Status = 'FAILURE' | 'WARNING' | 'SUCCESS' | 'SKIPPED' | 'INFO'

/** How one scenario went. */
export interface Outcome {
  /** False for what the suite runs and reports but does not count. */
  readonly isScored: boolean
  /** The status of every check by its id; the most severe where an id repeats. */
  readonly checks: Readonly<Record<string, Status>>
  /** What the suite said of the checks that failed. */
  readonly errors: Readonly<Record<string, string>>
}

/** One run of the suite: outcomes by the name of the scenario. */
export type Run = Readonly<Record<string, Outcome>>

/** Passed of those that passed or failed, in scenarios and in checks. */
export interface Tally {
  readonly scenarios: readonly [passed: number, all: number]
  readonly checks: readonly [passed: number, all: number]
}

/** Counts a run: what is scored, or everything. */
export function tally(run: Run, which: 'scored' | 'all'): Tally {
  const counted = Object.values(run).filter(({ isScored }) => isScored || which === 'all')
  const judged = counted
    .map(({ checks }) => Object.values(checks))
    .map((all) => ({
      passed: all.filter((status) => status === 'SUCCESS').length,
      failed: all.filter((status) => status === 'FAILURE').length,
    }))
    .filter(({ passed, failed }) => passed + failed > 0)
  const sum = (of: (one: (typeof judged)[number]) => number) =>
    judged.reduce((total, one) => total + of(one), 0)
  return {
    scenarios: [sum(({ failed }) => (failed === 0 ? 1 : 0)), judged.length],
    checks: [sum(({ passed }) => passed), sum(({ passed, failed }) => passed + failed)],
  }
}
