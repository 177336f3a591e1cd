import { ExactNumber } from '../../json/exact-number.ts'
import type { Json } from '../../json/json.ts'

/**
 * The JSON values that Intercept takes for equal to a scalar: it compares numbers as numbers and
 * all else by its printed form, so that `"5"` equals 5 and `"true"` equals true. Undefined for a
 * value whose printed form a list or an object could have too: that can't be carried over.
 */
export function lookalikes(value: Json): readonly Json[] | undefined {
  if (value === null) return [null, '<nil>']
  if (typeof value === 'boolean') return [value, String(value)]
  if (typeof value === 'number') return [value, ...printedNumber(value)]
  if (value instanceof ExactNumber || typeof value !== 'string') return undefined
  if (value.startsWith('[') || value.startsWith('map[')) return undefined
  if (value === '<nil>') return [value, null]
  if (value === 'true' || value === 'false') return [value, value === 'true']
  const number = Number(value)
  return value !== '' && printedNumber(number).includes(value) ? [value, number] : [value]
}

/** How Go prints a double, where JavaScript prints it the same. */
const printedNumber = (value: number): readonly string[] => {
  const size = Math.abs(value)
  return Number.isFinite(value) && (value === 0 || (size >= 1e-4 && size < 1e21))
    ? [String(value)]
    : []
}
