import { fold } from '../fold.ts'
import { didYouMean } from './nearest.ts'

/** One step down: a member of an object, one element of a list, or each of them. */
export type Segment =
  | {
      readonly kind: 'key'
      readonly key: string
      readonly folded: string
      /** True when no other key of plain lower-case keys can stand for it. */
      readonly isPlain: boolean
      /** Keys, folded, that spell this and following steps in one, as `a.b` does. */
      readonly joined: readonly string[]
      /** True when `[*]` follows, so that any longer spelling is suspect. */
      readonly beforeEach: boolean
    }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' }

/** Where a condition looks: a root, and the steps from there. */
export interface Path {
  readonly text: string
  readonly root: Root
  readonly segments: readonly Segment[]
}

/** The values a path can start from; each is a member of the table below. */
export type Root = keyof typeof roots

/**
 * What can be named: `leaf` is one value, `tree` is an object that the path goes into (and `args`
 * may be named whole), `counter` takes exactly one key.
 */
export const roots = {
  args: 'open',
  'tool.name': 'leaf',
  'tool.category': 'leaf',
  'tool.severity': 'leaf',
  'tool.annotations': 'tree',
  'server.name': 'leaf',
  'grant.label': 'leaf',
  'grant.tags': 'tree',
  'session.id': 'leaf',
  'client.name': 'leaf',
  'client.version': 'leaf',
  'time.hour': 'leaf',
  'time.weekday': 'leaf',
  'time.date': 'leaf',
  limits: 'counter',
} as const satisfies Record<string, 'open' | 'leaf' | 'tree' | 'counter'>

const firstWords: readonly string[] = [
  ...new Set(Object.keys(roots).map((root) => root.split('.')[0] ?? root)),
]

/** The grammar as a regular expression, for editors; the parser tells what is wrong. */
export function pathPattern(): string {
  const key = '(\\.[^.\\[\\]"]+|\\["([^"\\\\]|\\\\.)*"\\])'
  const step = `(${key}|\\[(\\*|0|[1-9][0-9]{0,6})\\])`
  const forms = { open: `(${key}${step}*)?`, leaf: '', tree: `${key}${step}*`, counter: key }
  const named = (root: string): string => {
    const [first = '', second] = root.split('.')
    return second === undefined ? first : `${first}(\\.${second}|\\["${second}"\\])`
  }
  const all = Object.entries(roots).map(([root, form]) => named(root) + forms[form])
  return `^(${all.join('|')})$`
}

/** What is wrong with a path, and what to do. */
export interface PathProblem {
  readonly message: string
  readonly hint?: string
}

type Step = { readonly key: string } | { readonly index: number } | { readonly each: true }

const MAX_INDEX = 1_000_000
const MAX_STEPS = 64

/** The steps after the root's first word; a problem's text when the grammar is broken. */
function parseSteps(text: string, start: number): Step[] | string {
  const steps: Step[] = []
  let at = start
  while (at < text.length) {
    if (text[at] === '.') {
      const bare = /[^.[\]"]+/y
      bare.lastIndex = at + 1
      const key = bare.exec(text)?.[0]
      if (key === undefined)
        return at + 1 < text.length && text[at + 1] !== '.'
          ? `expected a key after \`.\`, found \`${text[at + 1]}\``
          : 'it has an empty step'
      steps.push({ key })
      at += 1 + key.length
    } else if (text[at] === '[') {
      const bracket = /\[(?:(\*)|(0|[1-9]\d{0,6})|("(?:[^"\\]|\\.)*"))\]/y
      bracket.lastIndex = at
      const m = bracket.exec(text)
      if (m === null) return 'expected `[0]`, `[*]` or `["key"]`'
      if (m[1] !== undefined) steps.push({ each: true })
      else if (m[2] !== undefined) {
        if (Number(m[2]) > MAX_INDEX) return `an index is at most ${MAX_INDEX}`
        steps.push({ index: Number(m[2]) })
      } else {
        const key = unquote(m[3] ?? '')
        if (key === undefined) return 'a quoted key is not a JSON string'
        steps.push({ key })
      }
      at += m[0].length
    } else return `unexpected \`${text[at]}\``
    if (steps.length > MAX_STEPS) return `it has more than ${MAX_STEPS} steps`
  }
  return steps
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}

/** Lower-case printable ASCII with neither dot nor bracket: only itself folds to it. */
export const isPlainKey = (key: string): boolean => {
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || (c >= 0x41 && c <= 0x5a) || c === 0x2e || c === 0x5b) return false
  }
  return true
}

function joinedFrom(steps: readonly Step[], start: number): string[] {
  const out: string[] = []
  let spellings = ['']
  for (let i = start; i < steps.length; i++) {
    const step = steps[i]
    if (step === undefined || 'each' in step) break
    spellings = spellings.flatMap((s) =>
      'key' in step
        ? [s === '' ? step.key : `${s}.${step.key}`]
        : [`${s}[${step.index}]`, `${s}.${step.index}`],
    )
    // Two spellings for every index: beyond a few, only the first form is looked for.
    if (spellings.length > 8) spellings = spellings.slice(0, 1)
    if (i > start) out.push(...spellings.map(fold))
  }
  return out
}

const toSegment = (step: Step, i: number, steps: readonly Step[]): Segment => {
  if ('each' in step) return { kind: 'each' }
  if ('index' in step) return { kind: 'index', index: step.index }
  const next = steps[i + 1]
  return {
    kind: 'key',
    key: step.key,
    folded: fold(step.key),
    isPlain: isPlainKey(step.key),
    joined: joinedFrom(steps, i),
    beforeEach: next !== undefined && 'each' in next,
  }
}

const isKnownRoot = (name: string): name is Root => Object.hasOwn(roots, name)

/** Parses a path; its grammar has one reading, and every root is known. */
export function parsePath(text: string): Path | PathProblem {
  if (text.length > 1024) return { message: 'the path is longer than 1024 characters' }
  const word = /^[^.[]*/.exec(text)?.[0] ?? ''
  if (!firstWords.includes(word)) {
    const hint = didYouMean(word, firstWords)
    return {
      message: `unknown root \`${word}\` of the path \`${text}\`; a path starts with ${firstWords.map((w) => `\`${w}\``).join(', ')}`,
      ...(hint === undefined ? {} : { hint }),
    }
  }
  const steps = parseSteps(text, word.length)
  if (typeof steps === 'string') return { message: `the path \`${text}\` is malformed: ${steps}` }
  return isKnownRoot(word) ? underRoot(text, word, steps) : underWord(text, word, steps)
}

function underWord(text: string, word: string, steps: readonly Step[]): Path | PathProblem {
  const [first, ...rest] = steps
  const members = Object.keys(roots)
    .filter((root) => root.startsWith(`${word}.`))
    .map((root) => root.slice(word.length + 1))
  const key = first !== undefined && 'key' in first ? first.key : ''
  const root = `${word}.${key}`
  if (isKnownRoot(root)) return underRoot(text, root, rest)
  const hint = didYouMean(key, members)
  return {
    message: `\`${word}\` has no member \`${key}\`; it has ${members.map((m) => `\`${m}\``).join(', ')}`,
    ...(hint === undefined ? {} : { hint }),
  }
}

function underRoot(text: string, root: Root, steps: readonly Step[]): Path | PathProblem {
  const segments = steps.map(toSegment)
  switch (roots[root]) {
    case 'open':
      if (segments[0] !== undefined && segments[0].kind !== 'key')
        return { message: `the path \`${text}\` is malformed: \`args\` is an object, not a list` }
      return { text, root, segments }
    case 'leaf':
      if (segments.length > 0) return { message: `nothing is below \`${root}\` in \`${text}\`` }
      return { text, root, segments }
    case 'tree':
      if (segments[0]?.kind !== 'key')
        return { message: `\`${root}\` needs a key, as \`${root}.x\`` }
      return { text, root, segments }
    case 'counter':
      if (segments.length !== 1 || segments[0]?.kind !== 'key')
        return { message: `\`limits\` needs the name of one counter, as \`limits.calls\`` }
      return { text, root, segments }
  }
}
