import type { Document, Node, Pair } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, Scalar } from 'yaml'
import { exactly, isNumberText } from '../json/exact-number.ts'
import type { Json } from '../json/json.ts'
import { type JsonMember, type JsonNode, MAX_DEPTH } from '../json/parse.ts'
import type { Report } from './shape.ts'

/** How many nodes a document may have, aliases expanded: more is a bomb, not a policy. */
const MAX_NODES = 200_000

/** What a text is as YAML: one tree of JSON nodes; undefined when problems were reported. */
export function parseYaml(text: string, report: Report): JsonNode | undefined {
  let isSound = true
  const complain = (message: string, offset: number, hint?: string): void => {
    isSound = false
    report({ level: 'problem', pointer: '', offset, message, hint })
  }
  if (isTooDeep(text)) {
    complain(`nested deeper than ${MAX_DEPTH} levels`, 0)
    return undefined
  }
  const documents = parseDocuments(text)
  if (documents === undefined) {
    complain('not YAML: it is nested too deeply to be read', 0)
    return undefined
  }
  const [document, second] = documents

  if (document === undefined || document.contents === null) {
    complain('the policy is empty', 0)
    return undefined
  }
  for (const error of [...document.errors, ...document.warnings])
    complain(`not YAML: ${oneLine(error.message)}`, Math.min(error.pos[0], text.length))
  if (second !== undefined)
    complain('a second YAML document begins here', second.range?.[0] ?? 0, 'keep one document')
  if (!isSound) return undefined
  return createConverter(complain).convert(document.contents as Node, 0)
}

/** Brackets and dashes that open more levels than any policy has: the parser is not asked. */
function isTooDeep(text: string): boolean {
  let open = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x5b || c === 0x7b) open++
    else if ((c === 0x5d || c === 0x7d) && open > 0) open--
    // Far beyond the limit, since brackets within texts are counted too.
    if (open > MAX_OPEN) return true
  }
  return MANY_MARKS.test(text)
}

const MAX_OPEN = 20 * MAX_DEPTH
const MANY_MARKS = /^[ ]*(?:(?:[-?:]|[&!][^\s]*)[ \t]+){300}/m

function parseDocuments(text: string): readonly Document.Parsed[] | undefined {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
    })
    return Array.isArray(documents) ? documents : []
  } catch (thrown) {
    // The parser is recursive; what it can't return from is no policy.
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

const oneLine = (message: string): string => (message.split('\n')[0] ?? '').replace(/\.$/, '')

type Complain = (message: string, offset: number, hint?: string) => void

function createConverter(complain: Complain) {
  let nodes = 0
  let expanding = 0
  /** The latest node of each anchor, in the order of the text, as YAML has it. */
  const anchors = new Map<string, Node>()
  const startOf = (node: Node | null): number => node?.range?.[0] ?? 0
  const endOf = (node: Node | null): number => node?.range?.[1] ?? 0
  const nothing = (offset: number): JsonNode => ({
    kind: 'scalar',
    value: null,
    start: offset,
    end: offset,
  })

  const convert = (node: Node | null, depth: number): JsonNode => {
    if (node === null) return nothing(0)
    const start = startOf(node)
    nodes++
    if (nodes === MAX_NODES) complain('the policy has too many values', start)
    if (nodes >= MAX_NODES) return nothing(start)
    if (depth > MAX_DEPTH) {
      complain(`nested deeper than ${MAX_DEPTH} levels`, start)
      nodes = MAX_NODES
      return nothing(start)
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target === undefined) {
        complain(`unknown alias \`${node.source.slice(0, 60)}\``, start)
        return nothing(start)
      }
      // An alias that contains itself ends at MAX_DEPTH; one that multiplies, at MAX_NODES.
      expanding++
      const expanded = convert(target, depth + 1)
      expanding--
      return expanded
    }
    if (expanding === 0 && 'anchor' in node && typeof node.anchor === 'string')
      anchors.set(node.anchor, node)
    if (isMap(node)) {
      return {
        kind: 'object',
        members: node.items.map((pair) => convertPair(pair as Pair<Node, Node | null>, depth)),
        start,
        end: endOf(node),
      }
    }
    if (isSeq(node))
      return {
        kind: 'array',
        items: node.items.map((item) => convert(item as Node, depth + 1)),
        start,
        end: endOf(node),
      }
    if (isScalar(node))
      return { kind: 'scalar', value: convertScalar(node), start, end: endOf(node) }
    complain('not a value of JSON', start)
    return nothing(start)
  }

  const convertPair = (pair: Pair<Node, Node | null>, depth: number): JsonMember => {
    const keyStart = startOf(pair.key)
    const keyEnd = endOf(pair.key)
    const key =
      isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : undefined
    if (key === undefined)
      complain(
        'a key must be a string',
        keyStart,
        isScalar(pair.key) ? `write \`"${String(pair.key.source).slice(0, 60)}"\`` : undefined,
      )
    const node = pair.value === null ? nothing(keyEnd) : convert(pair.value, depth + 1)
    // A key that is no string is told once: by its text the rest is checked as if it were one.
    const text = isScalar(pair.key) ? String(pair.key.source ?? '') : ''
    return { key: key ?? text, keyStart, keyEnd, node }
  }

  const convertScalar = (node: Scalar): Json => {
    const { value, source, type } = node
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number' && type === Scalar.PLAIN && source !== undefined) {
      const text = jsonNumber(source)
      if (text !== undefined) return exactly(text)
      if (Number.isSafeInteger(value)) return value
      complain('a number must be one that JSON can write', startOf(node))
      return null
    }
    complain('a value of this kind is not JSON', startOf(node))
    return null
  }
  return { convert }
}

/** YAML's decimal number in JSON's grammar, with the same value; undefined for other bases. */
function jsonNumber(source: string): string | undefined {
  const m = /^([-+]?)0*(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/.exec(source)
  if (m === null || !/\d/.test(source)) return undefined
  const [, sign = '', whole = '', fraction = '', power = ''] = m
  const text = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}${power}`
  return isNumberText(text) ? text : undefined
}
