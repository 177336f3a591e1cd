import type { Instant } from '../../instant.ts'
import type { WindowName } from '../../policy/model.ts'
import { aligned } from './aligned.ts'
import { month } from './month.ts'
import type { QuotaWindow, WindowSpan } from './quota-window.ts'

const SECOND_MS = 1000
const DAY_MS = 86_400_000
/** The epoch was a Thursday; the Monday after it. */
const FIRST_MONDAY_MS = 4 * DAY_MS

/** Every calendar window that a policy can name. UTC has no summer time, so all but months are of one length. */
export const windows = {
  second: aligned(SECOND_MS),
  minute: aligned(60 * SECOND_MS),
  hour: aligned(3600 * SECOND_MS),
  day: aligned(DAY_MS),
  week: aligned(7 * DAY_MS, FIRST_MONDAY_MS),
  month,
} satisfies Record<WindowName, QuotaWindow>

/** A window as a limit states it: by name, or by its length. */
export type WindowRef = WindowName | { readonly lengthMs: number }

/** The window that a limit speaks of. */
export const windowOf = (ref: WindowRef): QuotaWindow =>
  typeof ref === 'string' ? windows[ref] : aligned(ref.lengthMs)

/** The span of the window that `at` lies in. */
export const windowAt = (ref: WindowRef, at: Instant): WindowSpan => windowOf(ref).spanAt(at)

/**
 * What tells one window from another in a counter's key. Windows that divide time alike are one:
 * `minute` and `60s` share their counter, so rewriting the one as the other keeps the count.
 */
export function windowIdentity(ref: WindowRef): WindowName | number {
  if (typeof ref !== 'string') return ref.lengthMs
  return ref === 'week' || ref === 'month' ? ref : windows[ref].longestMs
}
