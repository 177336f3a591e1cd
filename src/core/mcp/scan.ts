import { MAX_DEPTH } from '../json/parse.ts'

/** What one pass over a JSON text tells before and beside parsing it. */
export interface Scan {
  /** Members of all objects, as written: more than the parsed value has means a repeated key. */
  readonly members: number
  readonly isTooDeep: boolean
  /** True when some number may not be held by a double: it must then be read from its text. */
  readonly mayLoseDigits: boolean
  /** True when some key is written with an escape: `JSON.parse` may take it for another. */
  readonly hasEscapedKey: boolean
}

/** The index of the quote that closes the string opened at `open`; the text's length when none does. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1)
  while (at !== -1) {
    let slashes = 0
    for (let i = at - 1; text.charCodeAt(i) === 0x5c; i--) slashes++
    if (slashes % 2 === 0) return at
    at = text.indexOf('"', at + 1)
  }
  return text.length
}

const isBlank = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09

/** Counts members, depth and doubtful numbers of a JSON text. Exact only if the text is valid JSON. */
export function scan(text: string): Scan {
  let members = 0
  let depth = 0
  let isTooDeep = false
  let mayLoseDigits = false
  let digits = 0
  let hasEscapedKey = false
  // The next backslash at or behind the place, so that no stretch is searched twice.
  let slash = text.indexOf('\\')
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) {
      while (slash !== -1 && slash < i) slash = text.indexOf('\\', i)
      i = closingQuote(text, i)
      let next = i + 1
      while (isBlank(text.charCodeAt(next))) next++
      if (text.charCodeAt(next) === 0x3a) {
        members++
        if (slash !== -1 && slash < i) hasEscapedKey = true
      }
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) isTooDeep = true
    } else if (c === 0x7d || c === 0x5d) {
      depth--
    } else if ((c >= 0x30 && c <= 0x39) || c === 0x2e) {
      if (++digits > 15) mayLoseDigits = true
      continue
    } else if ((c === 0x65 || c === 0x45) && digits > 0) {
      mayLoseDigits = true
    }
    digits = 0
  }
  return { members, isTooDeep, mayLoseDigits, hasEscapedKey }
}
