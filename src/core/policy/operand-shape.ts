import { toMillionths } from './amount.ts'
import type { OperandKind } from './operators/operator.ts'
import { MAX_PATTERN, type Patterns } from './pattern.ts'
import { anything, flag, list, number, refined, type Shape, text, word } from './shape.ts'
import { jsonTypes } from './vocabulary.ts'

/** The longest text that `glob` takes as a pattern. */
export const MAX_GLOB = 256

/** One text or a list of texts. */
const oneOrMore = (one: Shape, what: string): Shape => {
  const many = list(one, what)
  return {
    schema: { anyOf: [one.schema, many.schema] },
    check: (node, pointer, report) =>
      (node.kind === 'array' ? many : one).check(node, pointer, report),
  }
}

const pattern = (patterns: Patterns): Shape =>
  refined(text('an RE2 pattern', { max: MAX_PATTERN }), (value) => {
    const compiled = patterns.compile(String(value))
    return typeof compiled === 'string'
      ? {
          message: `not an RE2 pattern: ${compiled}`,
          hint: 'RE2 has no look-around and no back-references',
        }
      : undefined
  })

const count: Shape = refined(number('a whole number', { minimum: 0, multipleOf: 1 }), (value) => {
  const amount = toMillionths(value)
  return typeof amount === 'bigint' && amount % 1_000_000n === 0n
    ? undefined
    : { message: 'expected a whole number that is not negative' }
})

/** What `value` may be, by the kind of operand that an operator takes. */
export function operandShapes(patterns: Patterns): Readonly<Record<OperandKind, Shape>> {
  return {
    any: anything('the value to compare with'),
    number: number('the number to compare with'),
    boolean: flag('whether something must be there'),
    list: list(anything('a value'), 'the values to compare with'),
    text: text('the text'),
    texts: oneOrMore(text('the text to look for'), 'the texts to look for'),
    pattern: pattern(patterns),
    count,
    types: oneOrMore(word(jsonTypes, 'a JSON type'), 'JSON types'),
  }
}

/** Tells what is wrong with the operand's place when it is missing. */
export const missingOperand = (op: string): string => `\`${op}\` needs a \`value\``
