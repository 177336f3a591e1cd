/**
 * Keys that some parser would take for the same: parsers differ in case, in Unicode compatibility
 * forms and in characters that show nothing.
 */

const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]/gu

/** True for text that folds to itself: no capital, nothing outside printable ASCII. */
const isPlain = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || (c >= 0x41 && c <= 0x5a)) return false
  }
  return true
}

const foldFully = (text: string): string =>
  text.normalize('NFKC').replace(INVISIBLE, '').toUpperCase().toLowerCase().normalize('NFKC')

/** The text without case, compatibility forms and invisible characters. */
export const fold = (text: string): string => (isPlain(text) ? text : foldFully(text))

/** The first two keys that fold to the same text; undefined when all differ. */
export function foldingPair(keys: readonly string[]): readonly [string, string] | undefined {
  if (keys.length < 2 || keys.every(isPlain)) return undefined
  const seen = new Map<string, string>()
  for (const key of keys) {
    const folded = fold(key)
    const other = seen.get(folded)
    if (other !== undefined) return [other, key]
    seen.set(folded, key)
  }
  return undefined
}
