import { ExactNumber } from '../json/exact-number.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { type JsonNode, toValue } from '../json/parse.ts'
import { didYouMean } from './nearest.ts'
import { below } from './pointer.ts'

/** Something to tell about a document: where it points, and at which offset of the text. */
export interface Finding {
  readonly level: 'problem' | 'warning'
  readonly pointer: string
  readonly offset: number
  readonly message: string
  readonly hint?: string | undefined
}

/** Takes findings; all of a document's are collected. */
export type Report = (finding: Finding) => void

/** One notion of what a value may be: checks it, and says the same as JSON Schema. */
export interface Shape {
  readonly schema: JsonObject
  readonly check: (node: JsonNode, pointer: string, report: Report) => void
}

/** Reports a problem with the value of a node. */
export const complain = (
  report: Report,
  at: { readonly node: JsonNode; readonly pointer: string },
  message: string,
  hint?: string,
): void => report({ level: 'problem', pointer: at.pointer, offset: at.node.start, message, hint })

/** What a node is, for people. */
export function found(node: JsonNode): string {
  if (node.kind === 'object') return 'an object'
  if (node.kind === 'array') return 'a list'
  const { value } = node
  if (value === null) return 'null'
  if (typeof value === 'string') return `the text \`${shorten(value)}\``
  if (value instanceof ExactNumber) return `the number \`${shorten(value.text)}\``
  return typeof value === 'number' ? `the number \`${value}\`` : `\`${String(value)}\``
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** The scalar that a node holds; undefined for an object or a list. */
export const scalarOf = (node: JsonNode): Json | undefined =>
  node.kind === 'scalar' ? node.value : undefined

/** A shape with a further rule, told at the place of the value when it is broken. */
export const refined = (
  shape: Shape,
  rule: (value: Json) => { message: string; hint?: string | undefined } | undefined,
  schema: JsonObject = {},
): Shape => ({
  schema: { ...shape.schema, ...schema },
  check(node, pointer, report) {
    let isSound = true
    shape.check(node, pointer, (finding) => {
      if (finding.level === 'problem') isSound = false
      report(finding)
    })
    if (!isSound) return
    const broken = rule(toValue(node))
    if (broken !== undefined) complain(report, { node, pointer }, broken.message, broken.hint)
  },
})

/** A string. */
export const text = (
  what: string,
  bounds: { readonly min?: number; readonly max?: number } = {},
): Shape => ({
  schema: {
    type: 'string',
    ...(bounds.min === undefined ? {} : { minLength: bounds.min }),
    ...(bounds.max === undefined ? {} : { maxLength: bounds.max }),
    description: what,
  },
  check(node, pointer, report) {
    const value = scalarOf(node)
    if (typeof value !== 'string')
      complain(report, { node, pointer }, `expected ${what} (a string), found ${found(node)}`)
    else if (value.length < (bounds.min ?? 0))
      complain(report, { node, pointer }, `expected ${what}, found an empty text`)
    else if (value.length > (bounds.max ?? Number.POSITIVE_INFINITY))
      complain(report, { node, pointer }, `${what} is longer than ${bounds.max} characters`)
  },
})

/** `true` or `false`. */
export const flag = (what: string): Shape => ({
  schema: { type: 'boolean', description: what },
  check(node, pointer, report) {
    if (typeof scalarOf(node) !== 'boolean')
      complain(report, { node, pointer }, `expected \`true\` or \`false\`, found ${found(node)}`)
  },
})

/** One of a closed set of words. */
export const word = (words: readonly string[], what: string): Shape => ({
  schema: { enum: words, description: what },
  check(node, pointer, report) {
    const value = scalarOf(node)
    if (typeof value === 'string' && words.includes(value)) return
    complain(
      report,
      { node, pointer },
      `expected ${words.map((w) => `\`${w}\``).join(' or ')}, found ${found(node)}`,
      typeof value === 'string' ? didYouMean(value, words) : undefined,
    )
  },
})

/** A JSON number. */
export const number = (what: string, schema: JsonObject = {}): Shape => ({
  schema: { type: 'number', description: what, ...schema },
  check(node, pointer, report) {
    const value = scalarOf(node)
    if (typeof value !== 'number' && !(value instanceof ExactNumber))
      complain(report, { node, pointer }, `expected ${what} (a number), found ${found(node)}`)
  },
})

/** Any JSON value. */
export const anything = (what: string): Shape => ({
  schema: { description: what },
  check: () => undefined,
})

/** A list of values of one shape. */
export const list = (of: Shape, what: string): Shape => ({
  schema: { type: 'array', items: of.schema, description: what },
  check(node, pointer, report) {
    if (node.kind !== 'array')
      complain(report, { node, pointer }, `expected ${what} (a list), found ${found(node)}`)
    else for (const [i, item] of node.items.entries()) of.check(item, below(pointer, i), report)
  },
})

/** An object with known keys; any other key is a problem. */
export const record = (
  fields: Readonly<Record<string, Shape>>,
  required: readonly string[],
  what: string,
): Shape => {
  const known = new Map(Object.entries(fields))
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries([...known].map(([key, shape]) => [key, shape.schema])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
      description: what,
    },
    check(node, pointer, report) {
      if (node.kind !== 'object') {
        complain(report, { node, pointer }, `expected ${what} (an object), found ${found(node)}`)
        return
      }
      const missing = required.filter((key) => !node.members.some((m) => m.key === key))
      for (const member of node.members) {
        const shape = known.get(member.key)
        const at = below(pointer, member.key)
        if (shape !== undefined) shape.check(member.node, at, report)
        else
          report({
            level: 'problem',
            pointer: at,
            offset: member.keyStart,
            message: `unknown key \`${shorten(member.key)}\` in ${what}`,
            hint:
              didYouMean(member.key, missing) ??
              didYouMean(member.key, known.keys()) ??
              `known keys are ${[...known.keys()].map((k) => `\`${k}\``).join(', ')}`,
          })
      }
      for (const key of missing)
        complain(report, { node, pointer }, `${what} has no \`${key}\``, `add \`${key}\``)
    },
  }
}

/** An object with any keys, each of which must be sound, and values of one shape. */
export const map = (
  key: { readonly schema: JsonObject; readonly problem: (key: string) => KeyProblem | undefined },
  value: Shape,
  what: string,
): Shape => ({
  schema: {
    type: 'object',
    propertyNames: key.schema,
    additionalProperties: value.schema,
    description: what,
  },
  check(node, pointer, report) {
    if (node.kind !== 'object') {
      complain(report, { node, pointer }, `expected ${what} (an object), found ${found(node)}`)
      return
    }
    for (const member of node.members) {
      const at = below(pointer, member.key)
      const broken = key.problem(member.key)
      if (broken !== undefined)
        report({ level: 'problem', pointer: at, offset: member.keyStart, ...broken })
      value.check(member.node, at, report)
    }
  },
})

/** What is wrong with a key. */
export interface KeyProblem {
  readonly message: string
  readonly hint?: string | undefined
}

/** A shape named in the schema's `$defs`; it may refer to itself. */
export function named(name: string, make: () => Shape): Shape & { readonly defined: () => Shape } {
  let made: Shape | undefined
  const defined = (): Shape => {
    made ??= make()
    return made
  }
  return {
    schema: { $ref: `#/$defs/${name}` },
    check: (node, pointer, report) => defined().check(node, pointer, report),
    defined,
  }
}
