import { texts } from './texts.ts'

/** A string ends with a text, or with one of several. */
export const endsWith = texts((operand) => (value) => value.endsWith(operand))
