import type { Json } from '../../json/json.ts'
import { membership } from './membership.ts'
import { BEYOND, operator } from './operator.ts'

/** Equal to none of a list; so is a missing value. */
export const notIn = operator(
  'list',
  (operand) => {
    const has = membership(operand as readonly Json[])
    return (value) => {
      const found = has(value)
      return found === undefined ? BEYOND : !found
    }
  },
  { whenAbsent: () => true },
)
