import type { Severity } from '../../policy/model.ts'
import type { AttackId, OwaspId } from '../attacks.ts'
import type { Finding } from './finding.ts'
import { foldLetters, skeletonOf } from './letters.ts'
import { plainOf } from './passages.ts'

/** A server of a stack, by the names that its tools carry. */
export interface NamedServer {
  readonly name: string
  readonly tools: readonly { readonly name: string; readonly description: string }[]
}

/** A finding on one server of a stack, because of another. */
export interface StackFinding extends Finding {
  readonly server: string
  readonly other: string
  /** The tool that it is about; undefined for the server itself. */
  readonly tool: string | undefined
}

interface Kind {
  readonly severity: Severity
  readonly message: string
  readonly owasp: OwaspId
  readonly attacks: readonly AttackId[]
}

/** What can be wrong between servers, by the id that findings carry. */
export const stackChecks = {
  same_name: {
    severity: 'Medium',
    message: 'has the name of a tool of another server',
    owasp: 'MCP09',
    attacks: ['tool_shadowing'],
  },
  look_alike_name: {
    severity: 'High',
    message: 'is named almost like a tool of another server',
    owasp: 'MCP04',
    attacks: ['look_alike', 'tool_shadowing'],
  },
  look_alike_server: {
    severity: 'High',
    message: 'is named almost like another server',
    owasp: 'MCP09',
    attacks: ['look_alike', 'supply_chain'],
  },
  names_other_tool: {
    severity: 'High',
    message: 'gives orders about a tool of another server',
    owasp: 'MCP03',
    attacks: ['tool_shadowing', 'cross_server'],
  },
} as const satisfies Record<string, Kind>

const MAX_FINDINGS = 500
/** Shorter names differ by a letter without any intent. */
const MIN_NAME = 6
/** A name that any server may have, whose collision with another of the same kind says nothing. */
const MIN_MENTION = 6

/** What is wrong between the servers of a stack: names that collide or are mistaken, orders across. */
export function inspectStack(servers: readonly NamedServer[]): readonly StackFinding[] {
  const found: StackFinding[] = []
  const add = (
    id: keyof typeof stackChecks,
    on: Pick<StackFinding, 'server' | 'other' | 'tool'>,
    quote: string,
    at = 'name',
  ) => {
    const { severity, message, owasp, attacks } = stackChecks[id]
    if (found.length < MAX_FINDINGS)
      found.push({ id, severity, message, at, quote: quote.slice(0, 120), owasp, attacks, ...on })
  }
  for (const [i, a] of servers.entries())
    for (const b of servers.slice(0, i))
      if (isLookAlike(a.name, b.name))
        add(
          'look_alike_server',
          { server: a.name, other: b.name, tool: undefined },
          `${a.name} ~ ${b.name}`,
        )
  for (const { server, other, tool, was } of lookAlikes(servers))
    add(
      was === tool ? 'same_name' : 'look_alike_name',
      { server, other, tool },
      was === tool ? tool : `${tool} ~ ${was}`,
    )
  for (const mention of mentions(servers))
    add('names_other_tool', mention, mention.quote, 'description')
  return found
}

interface Pair {
  readonly server: string
  readonly other: string
  readonly tool: string
  readonly was: string
}

/** Tools of different servers whose names are equal, or look it. */
function lookAlikes(servers: readonly NamedServer[]): readonly Pair[] {
  const pairs: Pair[] = []
  const seen = new Map<string, { server: string; tool: string }[]>()
  for (const { name: server, tools } of servers)
    for (const { name: tool } of tools) {
      const told = new Set<string>()
      for (const key of keysOf(tool))
        for (const other of seen.get(key) ?? []) {
          const isMistaken = other.tool === tool || isLookAlike(tool, other.tool)
          if (other.server === server || told.has(other.server) || !isMistaken) continue
          told.add(other.server)
          pairs.push({ server, other: other.server, tool, was: other.tool })
        }
      for (const key of keysOf(tool)) {
        const list = seen.get(key) ?? []
        if (list.length < 32) seen.set(key, [...list, { server, tool }])
      }
    }
  return pairs
}

/** Two names that may be mistaken share one of these: what they look like, also with one letter gone. */
function keysOf(name: string): readonly string[] {
  const skeleton = skeletonOf(name.slice(0, 128))
  if (skeleton.length < MIN_NAME) return [`=${skeleton}`]
  const keys = [`=${skeleton}`]
  for (let i = 0; i < skeleton.length && i < 64; i++)
    keys.push(skeleton.slice(0, i) + skeleton.slice(i + 1))
  return [...new Set([...keys, skeleton])]
}

/** True for two names that a person takes for one, and that nobody gives by accident. */
export function isLookAlike(a: string, b: string): boolean {
  if (a === b) return false
  const [x, y] = [plainName(a), plainName(b)]
  // The same words in another spelling are honest, unless letters of another alphabet are among them.
  if (x === y)
    return foldLetters(a) !== a.normalize('NFKD') || foldLetters(b) !== b.normalize('NFKD')
  if (skeletonOf(a) === skeletonOf(b)) return true
  if (Math.min(x.length, y.length) < MIN_NAME || /\d/.test(difference(x, y))) return false
  // `list_issue` and `list_issues` are two honest names.
  if (singular(a) === singular(b) || !sameWords(a, b)) return false
  return isOneEdit(x, y)
}

const plainName = (name: string): string =>
  foldLetters(name)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')

/** The words of a name, each without the `s` at its end. */
const singular = (name: string): string =>
  wordsOf(name)
    .map((word) => word.replace(/s$/, ''))
    .join(' ')

const wordsOf = (name: string): readonly string[] =>
  foldLetters(name)
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)

const difference = (a: string, b: string): string => {
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  return `${a[i] ?? ''}${b[i] ?? ''}`
}

/** The words of a name that differ must be long: `get_a` and `get_b`, `read_file` and `read_tile` are not one. */
function sameWords(a: string, b: string): boolean {
  const [x, y] = [wordsOf(a), wordsOf(b)]
  if (x.length !== y.length) return true
  const differing = x.flatMap((word, i) =>
    word === y[i] ? [] : [Math.min(word.length, (y[i] ?? '').length)],
  )
  return differing.every((length) => length >= MIN_NAME)
}

/** One letter put in, taken out or replaced, or two neighbours swapped. */
function isOneEdit(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  const [x, y] = [a.slice(i), b.slice(i)]
  if (x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1)) return true
  return x.length > 1 && x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2)
}

const ORDERS =
  /\b(?:must|always|never|instead|before|after|when(?:ever)?|every time|do not|don't|should|first|replace|change|redirect|prefer|override)\b/

/** Descriptions that name a tool of another server, next to an order. */
function* mentions(servers: readonly NamedServer[]) {
  const owners = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const { name: server, tools } of servers)
    for (const { name } of tools) {
      const key = name.toLowerCase()
      if (owners.has(key) && owners.get(key) !== server) ambiguous.add(key)
      // A name of one word is a word like any other.
      if (key.length >= MIN_MENTION && /[_.-]/.test(key)) owners.set(key, server)
    }
  for (const { name: server, tools } of servers)
    for (const { name: tool, description } of tools) {
      const plain = plainOf(description.slice(0, 8_000))
      for (const sentence of plain.split(/(?<=[.!?])\s/)) {
        const named = sentence.match(/[a-z0-9]+(?:[_.-][a-z0-9]+)+/g) ?? []
        const foreign = named.find((word) => {
          const owner = owners.get(word)
          return owner !== undefined && owner !== server && !ambiguous.has(word)
        })
        if (foreign === undefined || !ORDERS.test(sentence)) continue
        yield { server, other: owners.get(foreign) ?? '', tool, quote: sentence.slice(0, 100) }
        break
      }
    }
}
