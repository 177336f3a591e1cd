import { ExactNumber, exactly, isNumberText } from '../../json/exact-number.ts'
import type { Json } from '../../json/json.ts'
import type { Patterns } from '../pattern.ts'

/** Tests one value; a text says why the value can't be judged (never quoting it). */
export type Test = (value: Json) => boolean | string

/** What a predicate's `value` may be. */
export type OperandKind =
  | 'any'
  | 'number'
  | 'boolean'
  | 'list'
  | 'text'
  | 'texts'
  | 'pattern'
  | 'count'
  | 'types'

/** How one `op` tests a value against the operand that the policy states. */
export interface Operator {
  readonly operand: OperandKind
  /** What it is when nothing is at the path. */
  readonly whenAbsent: (operand: Json) => boolean
  /** A cap: where its truth would deny or ask a person, a missing value can't be judged. */
  readonly isOrdering: boolean
  /** Whether presence in the call itself is asked for, so that no declared default counts. */
  readonly asksPresence: boolean
  /** Builds the test. INVARIANT: the operand is of the kind above; validation saw to it. */
  readonly prepare: (operand: Json, patterns: Patterns) => Test
}

/** An operator that is false of nothing, caps nothing and asks for a value: most are. */
export const operator = (
  operand: OperandKind,
  prepare: Operator['prepare'],
  more: Partial<Pick<Operator, 'whenAbsent' | 'isOrdering' | 'asksPresence'>> = {},
): Operator => ({
  operand,
  prepare,
  whenAbsent: () => false,
  isOrdering: false,
  asksPresence: false,
  ...more,
})

/** The kind of a value for people: `a list`, `null`, `a string`. */
export function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' || value instanceof ExactNumber) return 'a number'
  if (typeof value === 'string') return 'a string'
  return typeof value === 'boolean' ? 'a boolean' : 'an object'
}

/** A number, or a string that is a JSON number in full, since servers coerce. */
export function asNumber(value: Json): number | ExactNumber | undefined {
  if (typeof value === 'number' || value instanceof ExactNumber) return value
  return typeof value === 'string' && value.length <= 10_000 && isNumberText(value)
    ? exactly(value)
    : undefined
}

/** Why a comparison has no answer. */
export const BEYOND = 'a number in it is too large to compare'
