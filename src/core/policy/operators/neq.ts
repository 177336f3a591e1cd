import { equalJson } from '../equal.ts'
import { BEYOND, operator } from './operator.ts'

/** Not deeply equal to a JSON value; a missing value equals nothing. */
export const neq = operator(
  'any',
  (operand) => (value) => {
    const same = equalJson(value, operand)
    return same === undefined ? BEYOND : !same
  },
  { whenAbsent: () => true },
)
