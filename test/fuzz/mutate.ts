import type { Random } from './random.ts'
import type { FuzzTarget } from './target.ts'

/** Longer inputs find nothing that shorter ones do not. */
const MAX_LENGTH = 4096

type Mutation = (text: string, random: Random, more: Means) => string

/** What mutations draw on. */
interface Means {
  readonly target: FuzzTarget
  readonly others: readonly string[]
}

/** Characters that parsers stumble over. */
const ODD = [
  ...['\0', '\t', '\n', '\r', ' ', '"', '\\', '/', '{', '}', '[', ']', ':', ',', '\u007f'],
  ...['\u0085', '\u00a0', '\u0130', '\u017f', '\u212a', '\u200b', '\u2028', '\ufeff'],
  ...['\ud800', '\udc00', '😀', 'ß', 'ẞ', 'K', 'ſ', 'é', 'e\u0301'],
]

const cutAt = (text: string, from: number, to: number, by: string): string =>
  text.slice(0, from) + by + text.slice(to)

/** Where a stretch of the text begins and ends. */
function stretch(text: string, random: Random): { from: number; to: number } {
  const from = random.below(text.length + 1)
  return { from, to: Math.min(text.length, from + random.below(24)) }
}

const mutations: readonly Mutation[] = [
  (text, random) => {
    const { from, to } = stretch(text, random)
    return cutAt(text, from, to, '')
  },
  (text, random) => {
    const { from, to } = stretch(text, random)
    const at = random.below(text.length + 1)
    return cutAt(text, at, at, text.slice(from, to))
  },
  (text, random, { target }) => {
    const at = random.below(text.length + 1)
    return cutAt(text, at, at + random.below(2), random.pick(target.words))
  },
  (text, random, { target }) => {
    const at = random.below(text.length + 1)
    const byte = String.fromCharCode(random.below(target.isBytes ? 256 : 128))
    return cutAt(text, at, at + random.below(2), byte)
  },
  (text, random, { target }) => {
    const at = random.below(text.length + 1)
    const odd = random.pick(ODD)
    return cutAt(text, at, at, target.isBytes ? Buffer.from(odd).toString('latin1') : odd)
  },
  (text, random, { others }) => {
    const other = random.pick(others)
    return (
      text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length + 1))
    )
  },
  (text, random) => {
    const at = random.below(text.length + 1)
    const code = text.charCodeAt(at)
    if (Number.isNaN(code)) return text
    return cutAt(text, at, at + 1, `\\u${code.toString(16).padStart(4, '0')}`)
  },
  (text, random) => {
    const at = random.below(text.length + 1)
    const letter = text[at] ?? ''
    const other = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()
    return cutAt(text, at, at + 1, other)
  },
  (text, random) => {
    const { from, to } = stretch(text, random)
    const piece = text.slice(from, to)
    return cutAt(text, to, to, piece.repeat(1 + random.below(40)))
  },
]

/** An input made of one or two others by a few random changes. */
export function mutate(
  from: string,
  others: readonly string[],
  target: FuzzTarget,
  random: Random,
): string {
  let text = from
  for (let changes = 1 + random.below(4); changes > 0; changes--)
    text = random.pick(mutations)(text, random, { target, others })
  return text.slice(0, MAX_LENGTH)
}
