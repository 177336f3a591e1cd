import { equalJson } from '../equal.ts'
import { BEYOND, operator } from './operator.ts'

/** Deeply equal to a JSON value; no string is a number and no number a boolean. */
export const eq = operator('any', (operand) => (value) => equalJson(value, operand) ?? BEYOND)
