import { isObject, type Json } from '../../json/json.ts'
import { foldLetters } from './letters.ts'

/** One text of a definition. */
export interface Passage {
  /** Where it stands, as `inputSchema.properties.note.description`. */
  readonly at: string
  readonly raw: string
  /** Lower case, in plain letters, without what is not seen, white space as single blanks. */
  readonly plain: string
  /** True for text that tells what something is, false for names and values. */
  readonly isProse: boolean
}

const MAX_PASSAGES = 3_000
const MAX_CHARACTERS = 100_000
const MAX_DEPTH = 24
const MAX_PATH = 160
const PROSE = new Set(['description', 'title', '$comment', 'default', 'examples', 'instructions'])

/** True when there was more text than is read. */
export const isCut = (passages: readonly Passage[]): boolean =>
  passages.length >= MAX_PASSAGES ||
  passages.reduce((sum, { raw }) => sum + raw.length, 0) >= MAX_CHARACTERS

/** Every string of a value and every name of a property, from the top; bounded. */
export function passagesOf(root: Json | undefined): readonly Passage[] {
  const found: Passage[] = []
  let left = MAX_CHARACTERS
  const keep = (at: string, raw: string, isProse: boolean): void => {
    if (raw === '' || left <= 0 || found.length >= MAX_PASSAGES) return
    const text = raw.slice(0, left)
    left -= text.length
    found.push({ at, raw: text, plain: plainOf(text), isProse })
  }
  const visit = (value: Json | undefined, at: string, key: string, depth: number): void => {
    if (left <= 0 || found.length >= MAX_PASSAGES || depth > MAX_DEPTH) return
    if (typeof value === 'string') {
      keep(at, value, PROSE.has(key) || value.length > 60)
      return
    }
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) visit(item, `${at}[${i}]`, key, depth + 1)
      return
    }
    if (!isObject(value)) return
    for (const name in value) {
      if (!Object.hasOwn(value, name) || left <= 0 || found.length >= MAX_PASSAGES) continue
      const path = `${at === '' ? '' : `${at}.`}${name}`.slice(0, MAX_PATH)
      // Names of properties are read by the model like any other text.
      if (key === 'properties') keep(path, name, name.length > 60)
      visit(value[name], path, name, depth + 1)
    }
  }
  visit(root, '', '', 0)
  return found
}

/** Letters of other alphabets, marks, and other forms of Latin letters; punctuation alone needs no folding. */
const FOREIGN =
  /[\u0300-\u1fff\u00ad\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2100-\u214f\u2460-\u24ff\u2c00-\ud7ff\uf900-\uffef\ud835\udb40]/
const UNEVEN = /[^\S ]|\s\s/

/** Text as phrases are looked for in it. */
export function plainOf(text: string): string {
  const seen = (FOREIGN.test(text) ? foldLetters(text) : text).toLowerCase()
  return UNEVEN.test(seen) ? seen.replace(/\s+/g, ' ') : seen
}
