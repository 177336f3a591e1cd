/**
 * Keys that some parser would take for the same: parsers differ in case, in Unicode compatibility
 * forms and in characters that show nothing.
 */

const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are what it looks for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single invisible code points are meant
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]/gu

/** 0: folds to itself · 1: ASCII with capitals · 2: anything else. */
const shapeOf = (text: string): 0 | 1 | 2 => {
  let shape: 0 | 1 = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c > 0x7e) return 2
    if (c >= 0x41 && c <= 0x5a) shape = 1
  }
  return shape
}

/** The text without case, compatibility forms and invisible characters. */
export function fold(text: string): string {
  const shape = shapeOf(text)
  if (shape === 0) return text
  if (shape === 1) return text.toLowerCase()
  const bare = text.normalize('NFKC').replace(INVISIBLE, '')
  // Down, up and down: a capital ẞ is its own upper case, but its lower case is not.
  return bare.toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
}

/** Below this many keys, comparing each with each is cheaper than a map. */
const FEW = 8

/** The first two keys that fold to the same text; undefined when all differ. */
export function foldingPair(keys: readonly string[]): readonly [string, string] | undefined {
  if (keys.length < 2) return undefined
  let isFolded = false
  for (const key of keys)
    if (shapeOf(key) !== 0) {
      isFolded = true
      break
    }
  if (!isFolded) return undefined
  const forms = keys.map(fold)
  if (keys.length > FEW) return pairByMap(keys, forms)
  for (let i = 1; i < forms.length; i++)
    for (let j = 0; j < i; j++)
      if (forms[i] === forms[j]) return [keys[j] as string, keys[i] as string]
  return undefined
}

function pairByMap(
  keys: readonly string[],
  forms: readonly string[],
): readonly [string, string] | undefined {
  const seen = new Map<string, number>()
  for (const [i, form] of forms.entries()) {
    const other = seen.get(form)
    if (other !== undefined) return [keys[other] as string, keys[i] as string]
    seen.set(form, i)
  }
  return undefined
}
