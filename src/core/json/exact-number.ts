/**
 * Numbers as JSON writes them. A double holds most of them exactly; one that it does not is kept as
 * its text, so that nothing is ever compared or counted after a silent rounding.
 */

/** A JSON number whose value a double can't hold, kept as the text that was sent. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toJSON(): never {
    throw new TypeError('an exact number has no double; use its text')
  }
}

/** A decimal: `digits` × 10^`exponent`; digits carry no trailing zero (zero is 0 × 10^0). */
export interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Exponents beyond this are no quantity; the text is then not taken for a number. */
const MAX_EXPONENT = 100_000
const MAX_DIGITS = 10_000

/** True when `text` is a JSON number in full. */
export const isNumberText = (text: string): boolean => NUMBER.test(text)

/** The exact value of a JSON number's text; undefined when it is none, or absurdly large. */
export function parseDecimal(text: string): Decimal | undefined {
  const m = NUMBER.exec(text)
  if (m === null) return undefined
  const [, sign, whole = '0', fraction = '', power = '0'] = m
  const exponent = Number(power)
  if (Math.abs(exponent) > MAX_EXPONENT || whole.length + fraction.length > MAX_DIGITS)
    return undefined
  const all = (whole + fraction).replace(/^0+/, '')
  const kept = all.replace(/0+$/, '')
  if (kept === '') return { digits: 0n, exponent: 0 }
  const digits = BigInt(kept)
  return {
    digits: sign === '-' ? -digits : digits,
    exponent: exponent - fraction.length + (all.length - kept.length),
  }
}

/** The decimal of a JSON number, double or exact; undefined for infinities and absurd exponents. */
export const decimalOf = (value: number | ExactNumber): Decimal | undefined =>
  parseDecimal(value instanceof ExactNumber ? value.text : numberText(value))

/** A double's shortest text, in JSON's grammar (`1e+21` is valid there). */
const numberText = (value: number): string => (Object.is(value, -0) ? '0' : String(value))

const abs = (n: bigint): bigint => (n < 0n ? -n : n)

/** Negative, zero or positive as `a` is below, equal to or above `b`; exact at any size. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const signA = a.digits < 0n ? -1 : a.digits > 0n ? 1 : 0
  const signB = b.digits < 0n ? -1 : b.digits > 0n ? 1 : 0
  if (signA !== signB) return signA - signB
  if (signA === 0) return 0
  const textA = abs(a.digits).toString()
  const textB = abs(b.digits).toString()
  // The position of the leading digit decides before anything is expanded.
  const lead = textA.length + a.exponent - (textB.length + b.exponent)
  if (lead !== 0) return lead * signA
  const width = Math.max(textA.length, textB.length)
  const left = textA.padEnd(width, '0')
  const right = textB.padEnd(width, '0')
  return left === right ? 0 : left < right ? -signA : signA
}

/**
 * Compares two JSON numbers exactly; undefined when one is beyond any sensible size.
 * Doubles are compared as doubles, which is exact for them.
 */
export function compareNumbers(
  a: number | ExactNumber,
  b: number | ExactNumber,
): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  const left = decimalOf(a)
  const right = decimalOf(b)
  return left === undefined || right === undefined ? undefined : compareDecimals(left, right)
}

/**
 * The number that a JSON number's text stands for: a double where that is exact (its shortest text
 * has the same value), else the text itself.
 */
export function exactly(text: string): number | ExactNumber {
  const double = Number(text)
  if (!Number.isFinite(double)) return new ExactNumber(text)
  const sent = parseDecimal(text)
  const held = parseDecimal(numberText(double))
  return sent !== undefined && held !== undefined && compareDecimals(sent, held) === 0
    ? double
    : new ExactNumber(text)
}

/**
 * True when a JSON text may hold a number that a double can't: a run of 16 or more digits and dots,
 * or an exponent of three or more digits. Strings of digits raise a false alarm, never the reverse.
 */
export const maySkipDigits = (text: string): boolean => /[\d.]{16}|\d[eE][+-]?\d{3}/.test(text)
