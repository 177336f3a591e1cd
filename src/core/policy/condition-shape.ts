import type { JsonNode } from '../json/parse.ts'
import { nodeOf } from '../json/parse.ts'
import { didYouMean } from './nearest.ts'
import { operandShapes } from './operand-shape.ts'
import { isOperatorName, type OperatorName, operators } from './operators/index.ts'
import { parsePath, pathPattern } from './path.ts'
import type { Patterns } from './pattern.ts'
import { below } from './pointer.ts'
import {
  anything,
  complain,
  flag,
  found,
  list,
  named,
  type Report,
  record,
  refined,
  type Shape,
  scalarOf,
  text,
} from './shape.ts'

const operatorNames = Object.keys(operators) as readonly OperatorName[]

/** A path of a condition. */
export const pathShape: Shape = refined(
  text('a path', { min: 1 }),
  (value) => {
    const path = parsePath(String(value))
    return 'segments' in path ? undefined : path
  },
  { pattern: pathPattern() },
)

const operatorShape: Shape = {
  schema: { enum: operatorNames, description: 'how the value at the path is tested' },
  check(node, pointer, report) {
    const value = scalarOf(node)
    if (typeof value === 'string' && isOperatorName(value)) return
    complain(
      report,
      { node, pointer },
      `unknown operator: found ${found(node)}`,
      (typeof value === 'string' ? didYouMean(value, operatorNames) : undefined) ??
        `operators are ${operatorNames.map((o) => `\`${o}\``).join(', ')}`,
    )
  },
}

/** What a condition may be: a predicate, or `all`, `any`, `not` of conditions. */
export function conditionShape(patterns: Patterns) {
  const operands = operandShapes(patterns)
  const predicate = record(
    {
      path: pathShape,
      op: operatorShape,
      value: anything('what the value is tested against'),
      if_absent: flag('what the condition is when nothing is at the path'),
    },
    ['path', 'op', 'value'],
    'the condition',
  )
  const combined = (): Readonly<Record<'all' | 'any' | 'not', Shape>> => ({
    all: record({ all: list(condition, 'conditions') }, ['all'], 'the condition'),
    any: record({ any: list(condition, 'conditions') }, ['any'], 'the condition'),
    not: record({ not: condition }, ['not'], 'the condition'),
  })

  const checkPredicate = (node: JsonNode, pointer: string, report: Report): void => {
    predicate.check(node, pointer, report)
    const op = nodeOf(node, 'op')
    const value = nodeOf(node, 'value')
    const name = op === undefined ? undefined : scalarOf(op)
    if (value === undefined || typeof name !== 'string' || !isOperatorName(name)) return
    operands[operators[name].operand].check(value, below(pointer, 'value'), report)
  }

  const condition = named('condition', (): Shape => {
    const shapes = combined()
    return {
      schema: {
        type: 'object',
        oneOf: [
          { ...predicate.schema, allOf: operandRules() },
          ...Object.values(shapes).map((shape) => shape.schema),
        ],
      },
      check(node, pointer, report) {
        const key = (['all', 'any', 'not'] as const).find((k) => nodeOf(node, k) !== undefined)
        if (key === undefined) checkPredicate(node, pointer, report)
        else shapes[key].check(node, pointer, report)
      },
    }
  })

  const operandRules = () =>
    operatorNames
      .filter((name) => operators[name].operand !== 'any')
      .map((name) => ({
        if: { properties: { op: { const: name } }, required: ['op'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { value: operands[operators[name].operand].schema } },
      }))

  return condition
}
