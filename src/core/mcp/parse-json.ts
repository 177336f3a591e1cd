import type { Json } from '../json/json.ts'
import { parseNodes, toValue } from '../json/parse.ts'
import { scan } from './scan.ts'

/**
 * `JSON.parse` for a text that somebody else wrote.
 * @throws SyntaxError or JsonSyntaxError for a text that is no JSON.
 *
 * V8 guesses the next key of an object from objects that it has read before, and compares its guess
 * with a key as written, escapes and all: after `{"a":1,"f\\u00":2}` it reads `{"a":1,"f\u006frce":2}` as
 * having a key `f\u00`. Whoever sends the first chooses what is read of the second. So a text with an
 * escaped key is read by our own parser, as the frames of clients are.
 */
export const parseJson = (text: string): Json =>
  text.includes('\\') && scan(text).hasEscapedKey
    ? toValue(parseNodes(text))
    : (JSON.parse(text) as Json)
