import { type JsonNode, nodeOf } from '../json/parse.ts'
import { didYouMean } from './nearest.ts'
import { parsePath } from './path.ts'
import { below } from './pointer.ts'
import { complain, type Report, scalarOf } from './shape.ts'

/** A part of the document that rules across the document speak of. */
interface Part {
  readonly node: JsonNode
  readonly pointer: string
}

/** Checks what no single value shows: counters that agree, names that refer, rules that say nothing. */
export function checkWhole(root: JsonNode, report: Report): void {
  const entries = entriesOf(root)
  const limits = [...entries, ...itemsOf(root)].flatMap((entry) => partsOf(entry, 'limits'))
  const counters = checkCounters(limits, report)
  for (const entry of entries) checkEntry(entry, counters, report)
  warnOfGaps(root, report)
}

const partAt = (part: Part, key: string): Part | undefined => {
  const node = nodeOf(part.node, key)
  return node === undefined ? undefined : { node, pointer: below(part.pointer, key) }
}

/** The elements of the list at `key`; none when it is no list. */
function partsOf(part: Part, key: string): readonly Part[] {
  const at = partAt(part, key)
  return at?.node.kind === 'array'
    ? at.node.items.map((node, i) => ({ node, pointer: below(at.pointer, i) }))
    : []
}

function membersOf(part: Part | undefined): readonly Part[] {
  return part?.node.kind === 'object'
    ? part.node.members.map((m) => ({ node: m.node, pointer: below(part.pointer, m.key) }))
    : []
}

function entriesOf(root: JsonNode): readonly Part[] {
  const whole = { node: root, pointer: '' }
  const all = partAt(whole, 'all_tools')
  return [
    ...membersOf(partAt(whole, 'tools')),
    ...membersOf(partAt(whole, 'risk')),
    ...(all === undefined ? [] : [all]),
  ]
}

function itemsOf(root: JsonNode): readonly Part[] {
  const whole = { node: root, pointer: '' }
  return ['prompts', 'resources'].flatMap((key) => partAt(whole, key) ?? [])
}

const textAt = (part: Part, key: string): string | undefined => {
  const node = nodeOf(part.node, key)
  const value = node === undefined ? undefined : scalarOf(node)
  return typeof value === 'string' ? value : undefined
}

/** What makes two uses of a counter's name one counter, with what each is when not written. */
const identity = { window: undefined, scope: 'grant', algorithm: 'fixed' } as const

function checkCounters(limits: readonly Part[], report: Report): ReadonlySet<string> {
  const first = new Map<string, Part>()
  for (const limit of limits) {
    const counter = textAt(limit, 'counter')
    if (counter === undefined) continue
    const known = first.get(counter)
    if (known === undefined) first.set(counter, limit)
    else
      for (const [key, byDefault] of Object.entries(identity)) {
        const here = textAt(limit, key) ?? byDefault
        const there = textAt(known, key) ?? byDefault
        if (here !== there)
          complain(
            report,
            limit,
            `counter \`${counter}\` has another \`${key}\` here than at \`${known.pointer}\`; one name is one counter`,
            'use the same, or another name',
          )
      }
  }
  return new Set(first.keys())
}

function checkEntry(entry: Part, counters: ReadonlySet<string>, report: Report): void {
  const action = textAt(entry, 'action')
  if (nodeOf(entry.node, 'reason') !== undefined && (action ?? 'allow') === 'allow')
    report({
      level: 'warning',
      pointer: below(entry.pointer, 'reason'),
      offset: nodeOf(entry.node, 'reason')?.start ?? 0,
      message: '`reason` is told for an `action` that denies or asks; this entry has none',
    })
  for (const rule of partsOf(entry, 'require'))
    if (partsOf(rule, 'conditions').length === 0 && nodeOf(rule.node, 'conditions') !== undefined)
      report({
        level: 'warning',
        pointer: rule.pointer,
        offset: rule.node.start,
        message: 'the rule has no conditions, so that it always holds and says nothing',
        hint: 'add a condition, or remove the rule',
      })
  for (const kind of ['require', 'deny_if', 'approve_if'])
    for (const rule of partsOf(entry, kind))
      for (const condition of partsOf(rule, 'conditions'))
        checkCondition(condition, counters, report)
}

function checkCondition(condition: Part, counters: ReadonlySet<string>, report: Report): void {
  for (const part of [...partsOf(condition, 'all'), ...partsOf(condition, 'any')])
    checkCondition(part, counters, report)
  const not = partAt(condition, 'not')
  if (not !== undefined) checkCondition(not, counters, report)
  const at = partAt(condition, 'path')
  const path = parsePath(textAt(condition, 'path') ?? '')
  if (at === undefined || !('segments' in path)) return
  const [first] = path.segments
  if (path.root === 'limits' && first?.kind === 'key' && !counters.has(first.key))
    complain(
      report,
      at,
      `no limit of this policy has the counter \`${first.key}\``,
      didYouMean(first.key, counters),
    )
  for (const segment of path.segments) {
    const isIndex = segment.kind === 'index'
    if (isIndex || (segment.kind === 'key' && /^(\d+|\*)$/.test(segment.key)))
      report({
        level: 'warning',
        pointer: at.pointer,
        offset: at.node.start,
        message: isIndex
          ? `\`[${segment.index}]\` looks at one element; the others are not looked at`
          : `\`.${segment.key}\` is the key of an object, never an element of a list`,
        hint: 'write `[*]` to look at every element',
      })
  }
}

/** Says what a reader of the policy would wrongly rely on. */
function warnOfGaps(root: JsonNode, report: Report): void {
  for (const [key, what] of [
    ['pin', 'enforced until a restart: what it accepted is not kept, and a restart accepts anew'],
    [
      'strict_arguments',
      'accepted but not enforced by this version: arguments are not checked against the schema yet',
    ],
  ] as const) {
    const node = nodeOf(root, key)
    if (node !== undefined && scalarOf(node) === true)
      report({
        level: 'warning',
        pointer: `/${key}`,
        offset: node.start,
        message: `\`${key}\` is ${what}`,
      })
  }
  const byDefault = nodeOf(root, 'default')
  const isClosed = byDefault !== undefined && ['deny', 'hide'].includes(String(scalarOf(byDefault)))
  if (!isClosed) return
  for (const key of ['prompts', 'resources'])
    if (nodeOf(root, key) === undefined)
      report({
        level: 'warning',
        pointer: '',
        offset: byDefault.start,
        message: `\`${key}\` are relayed: the default speaks of tools only`,
        hint: `add \`"${key}": { "default": "deny" }\` to deny them`,
      })
}
