import type { Instant } from '../instant.ts'
import type { LimitAlgorithm, WindowName } from '../policy/model.ts'

/** What one exchange asks of one counter. Amounts are in millionths of a unit. */
export interface Demand {
  /** Identity of the counter: scope's value, counter, window; encoded, never joined. */
  readonly key: string
  readonly algorithm: LimitAlgorithm
  readonly window: WindowName | { readonly lengthMs: number } | undefined
  readonly amount: bigint
  readonly max: bigint
}

/** All of an exchange's demands, taken together or not at all. */
export type Reservation =
  | { readonly ok: true; readonly id: string; readonly remaining: readonly bigint[] }
  | {
      readonly ok: false
      /** Index of the demand that did not fit. */
      readonly exhausted: number
      readonly used: bigint
      /** When it can fit at the earliest; undefined for `concurrent` and for a demand over `max`. */
      readonly resetsAt: Instant | undefined
    }
