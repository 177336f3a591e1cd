import { kindOf, operator } from './operator.ts'

/** An RE2 pattern is found somewhere in a string, in linear time. */
export const regex = operator('pattern', (operand, patterns) => {
  const pattern = patterns.compile(String(operand))
  if (typeof pattern === 'string') return () => `its pattern is not valid: ${pattern}`
  return (value) => {
    if (typeof value !== 'string') return `it is ${kindOf(value)}, not a string`
    return pattern(value) ?? 'it is too long to be searched for its pattern'
  }
})
