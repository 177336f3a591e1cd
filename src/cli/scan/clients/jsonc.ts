/** Reads JSON as editors write it: with comments, trailing commas and a BOM; undefined when it is not that. */
export function parseJsonc(text: string): unknown {
  try {
    return JSON.parse(plainJson(text))
  } catch {
    return undefined
  }
}

const TOKENS =
  /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g

/** The same as plain JSON: strings stay, comments and commas before a closing bracket go. */
const plainJson = (text: string): string =>
  text.replace(/^\ufeff/, '').replace(TOKENS, (token) => (token.startsWith('"') ? token : ' '))
