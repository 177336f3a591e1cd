import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import type { Problem } from '../../core/problem.ts'
import { printable } from '../printable.ts'
import { expand, firstMasked, maskReferences, unmaskReferences } from './expand.ts'

/** One value of the configuration with its place; strings are expanded. */
export type Value = {
  /** RFC 6901 pointer. */
  readonly pointer: string
  /** Where it stands in the text. */
  readonly offset: number
} & (
  | { readonly kind: 'map'; readonly entries: readonly Entry[] }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | {
      readonly kind: 'text' | 'number' | 'boolean'
      /** As written, expanded. */
      readonly text: string
      /** True when a part of it came from the environment: it may be a secret. */
      readonly isExpanded: boolean
    }
  | { readonly kind: 'null' }
)

/** One member of a map. */
export interface Entry {
  readonly key: string
  readonly offset: number
  readonly value: Value
}

/** Takes what is wrong at a place. */
export type Report = (
  at: { pointer: string; offset: number },
  message: string,
  hint?: string,
) => void

/** What a YAML parser's codes mean to the person who wrote the file; never the text itself. */
const syntax: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not fit what is above',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping stands where a plain value is expected',
  TAB_AS_INDENT: 'a tab is used as indentation; YAML takes only spaces',
  MISSING_CHAR: 'a closing quote, bracket, comma or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line',
  BAD_ALIAS: 'this alias has no anchor',
  BAD_DQ_ESCAPE: 'this escape is not known in a double-quoted string',
  UNEXPECTED_TOKEN: 'this is not expected here',
  MULTIPLE_DOCS: 'a second document begins here; one is expected',
}
const usage = `\`\${NAME}\` or \`\${NAME:-default}\` is the environment; \`$\${\` is a literal \`\${\``
const maxDepth = 32
/** Aliases can make a small file mean a huge one. */
const maxValues = 100_000
const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Parses YAML (or JSON) text into a tree with places, collecting every problem. */
export function parseTree(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { tree: Value | undefined; problems: Problem[]; report: Report } {
  const problems: Problem[] = []
  const lines = new LineCounter()
  // A value without its variable is wrong once, not again for being empty.
  const unset = new Set<string>()
  const report: Report = ({ pointer, offset }, said, hint) => {
    if (unset.has(pointer)) return
    // Keys are shown, and a key may hold a line break.
    const message = printable.text(said)
    const { line, col } = lines.linePos(offset)
    const place = { pointer, line: Math.max(1, line), column: Math.max(1, col) }
    problems.push(hint === undefined ? { ...place, message } : { ...place, message, hint })
  }
  const source = maskReferences(text)
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: false, merge: false })
  const unusable = firstMasked(text)
  if (unusable >= 0)
    report(
      { pointer: '', offset: unusable },
      'a private-use character (U+E000 to U+E01F) is not taken here',
    )
  // One mistake makes a parser stumble many times: the first is the one to mend.
  const [first] = document.errors
  if (first !== undefined) {
    const isOpen = source[first.pos[0]] === '{' && source[first.pos[0] - 1] === '$'
    report(
      { pointer: '', offset: first.pos[0] },
      `not valid YAML: ${syntax[first.code] ?? 'this can not be read'}`,
      isOpen ? usage : undefined,
    )
    return { tree: undefined, problems, report }
  }
  if (document.contents === null) {
    report({ pointer: '', offset: 0 }, 'the file is empty', 'begin with `version: 1`')
    return { tree: undefined, problems, report }
  }

  const scalar = (node: ParsedNode & { value?: unknown; source?: string }, place: Place): Value => {
    const { value } = node
    if (value === null || value === undefined) return { ...place, kind: 'null' }
    if (typeof value === 'number' || typeof value === 'bigint')
      return { ...place, kind: 'number', text: node.source ?? String(value), isExpanded: false }
    if (typeof value === 'boolean')
      return { ...place, kind: 'boolean', text: String(value), isExpanded: false }
    const whole = expand(unmaskReferences(String(value)), env)
    for (const name of whole.missing)
      report(
        place,
        `the environment variable \`${name}\` is not set`,
        `set it, or give a default: \`\${${name}:-default}\``,
      )
    if (whole.missing.length > 0) unset.add(place.pointer)
    if (whole.isMalformed) report(place, 'a `${` that begins no reference', usage)
    return { ...place, kind: 'text', text: whole.text, isExpanded: whole.isExpanded }
  }

  const keyOf = (node: unknown): string | undefined => {
    if (!isScalar(node)) return undefined
    if (typeof node.value === 'string') return unmaskReferences(node.value)
    return node.source ?? String(node.value)
  }

  let values = 0
  const walk = (node: ParsedNode | null, place: Place, depth: number): Value => {
    if (node === null) return { ...place, kind: 'null' }
    if (++values === maxValues) report(place, `the file has more than ${maxValues} values`)
    if (values >= maxValues) return { ...place, kind: 'null' }
    if (depth > maxDepth) {
      report(place, `nested deeper than ${maxDepth} levels`)
      return { ...place, kind: 'null' }
    }
    if (isAlias(node)) {
      const target = node.resolve(document) as ParsedNode | undefined
      return walk(target ?? null, place, depth + 1)
    }
    if (isScalar(node)) return scalar(node as ParsedNode & { value?: unknown }, place)
    if (isSeq(node)) {
      const items = node.items.map((item, i) => {
        const child = item as ParsedNode
        return walk(
          child,
          { pointer: `${place.pointer}/${i}`, offset: child?.range?.[0] ?? place.offset },
          depth + 1,
        )
      })
      return { ...place, kind: 'list', items }
    }
    if (!isMap(node)) return { ...place, kind: 'null' }
    const entries: Entry[] = []
    const seen = new Map<string, number>()
    for (const pair of node.items) {
      const offset = (pair.key as ParsedNode | null)?.range?.[0] ?? place.offset
      const key = keyOf(pair.key)
      if (key === undefined) {
        report({ pointer: place.pointer, offset }, 'a key must be a plain string')
        continue
      }
      const pointer = `${place.pointer}/${escapePointer(key)}`
      const earlier = seen.get(key)
      if (earlier !== undefined) {
        report(
          { pointer, offset },
          `\`${key}\` stands here twice; the first is on line ${lines.linePos(earlier).line}`,
          'remove or rename one of them',
        )
        continue
      }
      seen.set(key, offset)
      const child = pair.value as ParsedNode | null
      const at = child?.range?.[0] ?? offset
      entries.push({ key, offset, value: walk(child, { pointer, offset: at }, depth + 1) })
    }
    return { ...place, kind: 'map', entries }
  }
  const tree = walk(document.contents, { pointer: '', offset: document.contents.range[0] }, 0)
  return { tree, problems, report }
}

interface Place {
  readonly pointer: string
  readonly offset: number
}
