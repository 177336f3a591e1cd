import { RE2JS } from 're2js'

/** Tests a whole text against a glob. */
export type Glob = (text: string) => boolean

/** True when the text means more than itself as a glob. */
export const isGlob = (text: string): boolean => text.includes('*') || text.includes('?')

/** `*` is any run of characters, `?` is one code point; all else stands for itself. */
export function compileGlob(source: string): Glob {
  if (source.includes('?')) {
    const pattern = RE2JS.compile(
      Array.from(source.replace(/\*+/g, '*'), (c) =>
        c === '*' ? '.*' : c === '?' ? '.' : RE2JS.quote(c),
      ).join(''),
      RE2JS.DOTALL,
    )
    return (text) => pattern.testExact(text)
  }
  const pieces = source.split('*')
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return (text) => text === source
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  const least = first.length + last.length
  return (text) => {
    if (text.length < least || !text.startsWith(first) || !text.endsWith(last)) return false
    // The leftmost place of each piece leaves the most room for the rest: no backtracking.
    const end = text.length - last.length
    let at = first.length
    for (const piece of middle) {
      const found = text.indexOf(piece, at)
      if (found === -1 || found + piece.length > end) return false
      at = found + piece.length
    }
    return true
  }
}
