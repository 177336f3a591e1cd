import { texts } from './texts.ts'

/** A string begins with a text, or with one of several. */
export const startsWith = texts((operand) => (value) => value.startsWith(operand))
