import { ExactNumber } from './exact-number.ts'
import { isObject, type Json } from './json.ts'

/**
 * One text for one value: keys in code-unit order, no blanks, numbers exact. Two values have the same
 * text only if they are equal. The depth is bounded by whoever parsed the value.
 */
export function canonicalText(value: Json): string {
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key] as Json)}`)
  return `{${members.join(',')}}`
}
