import { compareNumbers } from '../../json/exact-number.ts'
import { asNumber, BEYOND, kindOf, type Operator, operator } from './operator.ts'

/** An operator that compares numbers; `holds` is asked of the sign of value − operand. */
export const ordering = (holds: (order: number) => boolean): Operator =>
  operator(
    'number',
    (operand) => {
      const bound = asNumber(operand)
      return (value) => {
        const number = asNumber(value)
        if (number === undefined || bound === undefined)
          return typeof value === 'string'
            ? 'it is a string that is not a number'
            : `it is ${kindOf(value)}, not a number`
        const order = compareNumbers(number, bound)
        return order === undefined ? BEYOND : holds(order)
      }
    },
    { isOrdering: true },
  )
