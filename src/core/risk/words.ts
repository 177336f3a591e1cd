const MARKS = /\p{Cf}/gu
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^ -~\s]+/g
const PLAIN = /^[\x20-\x7e]*$/

/** The text in one Unicode form, without marks that show nothing. */
export const normalise = (text: string): string =>
  PLAIN.test(text) ? text : text.normalize('NFKC').replace(MARKS, '')

/** The lower-case words of an identifier in any of the usual spellings, at most `limit`. */
export function splitName(name: string, limit: number): readonly string[] {
  const words = normalise(name).match(WORD) ?? []
  return words.slice(0, limit).map((word) => word.toLowerCase())
}

const SENTENCE_PART = /[A-Za-z]+|[,/]|\d+|[^ -~\s]+/g

/** The lower-case words of a sentence, with the commas and slashes that join them. */
export const splitSentence = (text: string, limit: number): readonly string[] =>
  (text.match(SENTENCE_PART) ?? []).slice(0, limit).map((part) => part.toLowerCase())

/** The forms that an English verb may have been inflected from, likeliest first. */
export function baseForms(word: string): readonly string[] {
  const n = word.length
  if (n < 4) return [word]
  if (word.endsWith('ies')) return [word, `${word.slice(0, n - 3)}y`]
  if (word.endsWith('es')) return [word, word.slice(0, n - 1), word.slice(0, n - 2)]
  if (word.endsWith('s')) return [word, word.slice(0, n - 1)]
  if (word.endsWith('ing') && n > 5) {
    const stem = word.slice(0, n - 3)
    const isDoubled = stem.at(-1) === stem.at(-2)
    return [word, stem, `${stem}e`, ...(isDoubled ? [stem.slice(0, -1)] : [])]
  }
  return [word]
}

/** A table of words from a list that is easy to read. */
export const wordSet = (list: string): ReadonlySet<string> =>
  new Set(list.split(/\s+/).filter((word) => word !== ''))
