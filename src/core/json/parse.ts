import { exactly } from './exact-number.ts'
import type { Json, JsonObject } from './json.ts'

/** A JSON value with where it stands: `start` and `end` are offsets into the text, end exclusive. */
export type JsonNode =
  | {
      readonly kind: 'object'
      readonly members: readonly JsonMember[]
      readonly start: number
      readonly end: number
    }
  | {
      readonly kind: 'array'
      readonly items: readonly JsonNode[]
      readonly start: number
      readonly end: number
    }
  | { readonly kind: 'scalar'; readonly value: Json; readonly start: number; readonly end: number }

/** One `"key": value` of an object. */
export interface JsonMember {
  readonly key: string
  readonly keyStart: number
  readonly keyEnd: number
  readonly node: JsonNode
}

/** A text that is not JSON: what was expected, at which offset. */
export class JsonSyntaxError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** How deep arrays and objects may nest. */
export const MAX_DEPTH = 128

const BLANK = /[ \t\n\r]*/y
// Runs are taken whole, so that a string of many megabytes needs no stack.
const STRING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside strings
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const words: Readonly<Record<string, Json>> = { true: true, false: false, null: null }

/**
 * Parses one JSON text into nodes with their places. Numbers are exact. Duplicate keys are kept:
 * whoever asks decides about them.
 * @throws JsonSyntaxError on anything but exactly one JSON value, or on nesting deeper than MAX_DEPTH.
 */
export function parseNodes(text: string): JsonNode {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const fail = (expected: string): never => {
    const found = at < text.length ? `found \`${text[at]}\`` : 'the text ended'
    throw new JsonSyntaxError(`expected ${expected}, ${found}`, at)
  }
  const string = (what: string): string => JSON.parse(take(STRING) ?? fail(what)) as string

  const value = (depth: number): JsonNode => {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(`nested deeper than ${MAX_DEPTH} levels`, at)
    take(BLANK)
    const start = at
    const first = text[at]
    if (first === '{') return object(depth, start)
    if (first === '[') return array(depth, start)
    if (first === '"') return { kind: 'scalar', value: string('a string'), start, end: at }
    const word = take(WORD)
    if (word !== undefined) return { kind: 'scalar', value: words[word] as Json, start, end: at }
    const number = take(NUMBER)
    if (number === undefined) return fail('a JSON value')
    return { kind: 'scalar', value: exactly(number), start, end: at }
  }
  const object = (depth: number, start: number): JsonNode => {
    const members: JsonMember[] = []
    at++
    take(BLANK)
    if (text[at] !== '}')
      for (;;) {
        take(BLANK)
        const keyStart = at
        const key = string('a key in double quotes')
        const keyEnd = at
        take(BLANK)
        if (text[at] !== ':') fail('`:`')
        at++
        members.push({ key, keyStart, keyEnd, node: value(depth + 1) })
        take(BLANK)
        if (text[at] !== ',') break
        at++
      }
    if (text[at] !== '}') fail('`,` or `}`')
    at++
    return { kind: 'object', members, start, end: at }
  }
  const array = (depth: number, start: number): JsonNode => {
    const items: JsonNode[] = []
    at++
    take(BLANK)
    if (text[at] !== ']')
      for (;;) {
        items.push(value(depth + 1))
        take(BLANK)
        if (text[at] !== ',') break
        at++
      }
    if (text[at] !== ']') fail('`,` or `]`')
    at++
    return { kind: 'array', items, start, end: at }
  }

  const root = value(0)
  take(BLANK)
  if (at < text.length) fail('the end of the text')
  return root
}

/** The value of a node. Of a repeated key the last one counts, as in `JSON.parse`. */
export function toValue(node: JsonNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'array':
      return node.items.map(toValue)
    case 'object': {
      const out: Record<string, Json> = {}
      // defineProperty, so that `__proto__` is a key like any other.
      for (const m of node.members)
        Object.defineProperty(out, m.key, {
          value: toValue(m.node),
          enumerable: true,
          configurable: true,
          writable: true,
        })
      return out as JsonObject
    }
    default:
      return node satisfies never
  }
}

/** The node of an object's member (the last of that name); undefined when there is none. */
export const nodeOf = (node: JsonNode | undefined, key: string): JsonNode | undefined =>
  node?.kind === 'object' ? node.members.findLast((m) => m.key === key)?.node : undefined
