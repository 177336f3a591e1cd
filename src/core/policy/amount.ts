import { decimalOf, ExactNumber } from '../json/exact-number.ts'
import type { Json } from '../json/json.ts'

/** Decimals of a unit that a counter keeps. */
export const DECIMALS = 6
/** The most units that a limit may allow, or a call consume. */
export const MAX_UNITS = 9_000_000_000_000n

/**
 * A JSON number as millionths of a unit, exactly; or, as text, why it can't be one.
 * Nothing is rounded and no string is taken for a number: what is counted is what was sent.
 */
export function toMillionths(value: Json): bigint | string {
  if (typeof value !== 'number' && !(value instanceof ExactNumber)) return 'it is not a number'
  const decimal = decimalOf(value)
  if (decimal === undefined) return 'it is too large'
  if (decimal.digits < 0n) return 'it is negative'
  if (decimal.digits === 0n) return 0n
  const shift = decimal.exponent + DECIMALS
  if (shift < 0) return `it has more than ${DECIMALS} decimals`
  // INVARIANT: checked before the power is taken, so no text makes a huge integer.
  if (shift > 20) return 'it is too large'
  const amount = decimal.digits * 10n ** BigInt(shift)
  return amount > MAX_UNITS * 10n ** BigInt(DECIMALS) ? 'it is too large' : amount
}
