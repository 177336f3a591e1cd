/** A part of a text: offsets, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const isBlank = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09

const skipBlank = (text: string, at: number): number => {
  let i = at
  while (isBlank(text.charCodeAt(i))) i++
  return i
}

/** `at` is the opening quote; gives the offset behind the closing one. */
function endOfString(text: string, at: number): number {
  let close = at
  for (;;) {
    close = text.indexOf('"', close + 1)
    if (close === -1) return text.length
    let slashes = 0
    while (text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return close + 1
  }
}

function endOfValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first !== '{' && first !== '[') {
    let i = at
    while (i < text.length && !/[\s,\]}]/.test(text[i] as string)) i++
    return i
  }
  const mark = /["{}[\]]/g
  mark.lastIndex = at
  let depth = 0
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const [c] = found
    if (c === '"') mark.lastIndex = endOfString(text, found.index)
    else if (c === '{' || c === '[') depth++
    else if (--depth === 0) return found.index + 1
  }
  return text.length
}

/** A member of an object: its key, where that begins, and where its value stands. */
export interface MemberSpan extends Span {
  readonly key: string
  readonly keyStart: number
}

/**
 * Where the members of an object stand, without parsing their values: for large messages of which
 * only the envelope matters.
 * INVARIANT: the text is valid JSON and `from` is at, or at white space before, a value.
 */
export function skimMembers(text: string, from = 0): readonly MemberSpan[] {
  const out: MemberSpan[] = []
  let at = skipBlank(text, from)
  if (text[at] !== '{') return out
  at = skipBlank(text, at + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(text, at)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    const start = skipBlank(text, skipBlank(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    out.push({ key, keyStart: at, start, end })
    at = skipBlank(text, skipBlank(text, end) + 1)
  }
  return out
}

/** The values of {@link skimMembers} by key. A key that comes twice is told once, with its last. */
export const skimObject = (text: string, from = 0): ReadonlyMap<string, Span> =>
  new Map(skimMembers(text, from).map((member) => [member.key, member]))

/**
 * The text of an object with every value as `rewrite` gives it; without the members for which that is
 * undefined. Keys and the values that stay are the bytes that came. The same INVARIANT.
 */
export function rewriteObject(
  text: string,
  from: number,
  rewrite: (member: MemberSpan) => string | undefined,
  more: readonly string[] = [],
): string {
  const kept = skimMembers(text, from).flatMap((member) => {
    const value = rewrite(member)
    return value === undefined ? [] : [text.slice(member.keyStart, member.start) + value]
  })
  return `{${[...kept, ...more].join(',')}}`
}

/** The bytes of a span. */
export const textOf = (text: string, span: Span): string => text.slice(span.start, span.end)

/** Where the items of an array stand. The same INVARIANT. */
export function skimArray(text: string, from = 0): readonly Span[] {
  const out: Span[] = []
  let at = skipBlank(text, skipBlank(text, from) + 1)
  while (at < text.length && text[at] !== ']') {
    const end = endOfValue(text, at)
    out.push({ start: at, end })
    at = skipBlank(text, end)
    if (text[at] !== ',') break
    at = skipBlank(text, at + 1)
  }
  return out
}

/** The span of a member at the end of a path of keys; undefined when there is none. */
export function skimPath(text: string, ...path: readonly string[]): Span | undefined {
  let span: Span | undefined = { start: 0, end: text.length }
  for (const key of path) {
    span = skimObject(text, span.start).get(key)
    if (span === undefined) return undefined
  }
  return span
}

/** A span and what to write in its place. */
export interface Splice extends Span {
  readonly text: string
}

/** The text with some spans written anew, everything else as it was. */
export function splice(text: string, splices: readonly Splice[]): string {
  let out = ''
  let at = 0
  for (const s of splices.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(at, s.start) + s.text
    at = s.end
  }
  return out + text.slice(at)
}
