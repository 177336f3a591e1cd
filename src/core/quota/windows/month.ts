import type { QuotaWindow } from './quota-window.ts'

const DAY_MS = 86_400_000

/** The first instant of a month; months beyond 0–11 carry into the year. */
function monthStart(year: number, month: number): number {
  const date = new Date(0)
  // INVARIANT: not Date.UTC, which takes the years 0–99 for 1900–1999.
  return date.setUTCFullYear(year, month, 1)
}

/** Calendar months in UTC. */
export const month: QuotaWindow = {
  longestMs: 31 * DAY_MS,
  spanAt: (at) => {
    const date = new Date(at)
    const year = date.getUTCFullYear()
    const index = date.getUTCMonth()
    return { start: monthStart(year, index), resetsAt: monthStart(year, index + 1) }
  },
}
