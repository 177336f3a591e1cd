import { compareNumbers } from '../../json/exact-number.ts'
import { isObject, type Json } from '../../json/json.ts'
import { asNumber, BEYOND, kindOf, type Operator, operator } from './operator.ts'

/** Code points of a string, elements of a list, keys of an object. */
function lengthOf(value: Json): number | undefined {
  if (typeof value === 'string') return codePoints(value)
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : undefined
}

function codePoints(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const next = text.charCodeAt(i + 1)
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) i++
    count++
  }
  return count
}

/** An operator on the length; `holds` is asked of the sign of length − operand. */
export const length = (holds: (order: number) => boolean): Operator =>
  operator('count', (operand) => {
    const bound = asNumber(operand) ?? 0
    return (value) => {
      const size = lengthOf(value)
      if (size === undefined) return `it is ${kindOf(value)}, which has no length`
      const order = compareNumbers(size, bound)
      return order === undefined ? BEYOND : holds(order)
    }
  })
