import { ExactNumber } from '../../json/exact-number.ts'
import type { Json } from '../../json/json.ts'
import { operator } from './operator.ts'

const typeOf = (value: Json): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return value instanceof ExactNumber ? 'number' : typeof value
}

/** The value's JSON type is the one named, or one of those named. */
export const type = operator('types', (operand) => {
  const names = new Set<Json>(Array.isArray(operand) ? operand : [operand])
  return (value) => names.has(typeOf(value))
})
