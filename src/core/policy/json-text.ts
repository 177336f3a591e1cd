import { ExactNumber } from '../json/exact-number.ts'
import type { Json } from '../json/json.ts'

/** JSON text of a value on one line; exact numbers as they were written. */
export function jsonText(value: Json): string {
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${jsonText(item)}`,
  )
  return `{${members.join(', ')}}`
}
