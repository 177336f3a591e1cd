import type { Json } from '../json/json.ts'

/** Half of a pair that stands alone: parsers keep it, replace it, drop it or fail. */
const LONE = /\p{Surrogate}/u
/** The escapes that could write one. */
const ESCAPE = /\\u[dD][89a-fA-F]/

const isIn = (value: Json): boolean => {
  if (typeof value === 'string') return LONE.test(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(isIn)
  return Object.entries(value).some(([key, item]) => LONE.test(key) || isIn(item as Json))
}

/** True when a text, whose value is given, holds a surrogate without its other half. */
export const holdsLoneSurrogate = (text: string, value: Json): boolean => {
  if (text.includes('\\u')) return LONE.test(text) || (ESCAPE.test(text) && isIn(value))
  // The standard's, which the type library does not know yet.
  return !(text as unknown as { isWellFormed(): boolean }).isWellFormed()
}
