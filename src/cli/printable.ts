/**
 * Control characters, line and paragraph separators, lone surrogates, and the characters that turn
 * the direction of writing or are not seen: on a terminal they forge lines or hide text.
 */
const unsafe = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/gu

const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('')

/** Makes text that others wrote safe to show. */
export const printable = {
  /** Text for a terminal or a log line: unsafe characters become `\uXXXX`. */
  text: (text: string): string => text.replace(unsafe, escaped),
  /** JSON text stays the same JSON value. */
  json: (json: string): string => json.replace(unsafe, escaped),
}
