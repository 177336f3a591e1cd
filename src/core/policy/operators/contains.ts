import { equalJson } from '../equal.ts'
import { BEYOND, kindOf, operator } from './operator.ts'

/** A substring of a string, or an element of a list. */
export const contains = operator('any', (operand) => (value) => {
  if (typeof value === 'string')
    return typeof operand === 'string'
      ? value.includes(operand)
      : `it is a string, which can't contain ${kindOf(operand)}`
  if (!Array.isArray(value)) return `it is ${kindOf(value)}, neither a string nor a list`
  let found: boolean | string = false
  for (const item of value) {
    const same = equalJson(item, operand)
    if (same === true) return true
    if (same === undefined) found = BEYOND
  }
  return found
})
