import { compareNumbers, ExactNumber } from '../json/exact-number.ts'
import { isObject, type Json } from '../json/json.ts'

const isNumber = (value: Json): value is number | ExactNumber =>
  typeof value === 'number' || value instanceof ExactNumber

/** Deep equality of JSON values, numbers by numeric value; undefined when a number is beyond size. */
export function equalJson(a: Json, b: Json): boolean | undefined {
  if (isNumber(a) && isNumber(b)) {
    const order = compareNumbers(a, b)
    return order === undefined ? undefined : order === 0
  }
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return equalLists(a, b)
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a)
    if (keys.length !== Object.keys(b).length) return false
    if (!keys.every((key) => Object.hasOwn(b, key))) return false
    return equalLists(
      keys.map((key) => a[key] as Json),
      keys.map((key) => b[key] as Json),
    )
  }
  return false
}

function equalLists(a: readonly Json[], b: readonly Json[]): boolean | undefined {
  if (a.length !== b.length) return false
  let result: boolean | undefined = true
  for (let i = 0; i < a.length; i++) {
    const same = equalJson(a[i] as Json, b[i] as Json)
    if (same === false) return false
    if (same === undefined) result = undefined
  }
  return result
}
