import type { Json } from '../../json/json.ts'
import { kindOf, type Operator, operator } from './operator.ts'

/** An operator on strings that holds for any of its operands. */
export const texts = (prepare: (operand: string) => (value: string) => boolean): Operator =>
  operator('texts', (operand) => {
    const tests = (Array.isArray(operand) ? operand : [operand]).map((o: Json) =>
      prepare(String(o)),
    )
    return (value) =>
      typeof value === 'string'
        ? tests.some((test) => test(value))
        : `it is ${kindOf(value)}, not a string`
  })
