import type { Severity } from '../../policy/model.ts'
import type { Check, Hit } from './finding.ts'

/** A kind of text that a reader does not see and a model does. */
interface Kind {
  readonly name: string
  readonly severity: Severity
  readonly pattern: RegExp
}

// A pattern may not hold control characters as they are.
const ESCAPE = String.fromCharCode(0x1b)
const CSI = String.fromCharCode(0x9b)

const kinds: readonly Kind[] = [
  {
    name: 'ANSI control sequence',
    severity: 'Critical',
    pattern: new RegExp(`${ESCAPE}[\\[\\]()PX^_\\\\]|${CSI}`),
  },
  // A flag of a region is a black flag followed by tag letters.
  {
    name: 'tag characters',
    severity: 'Critical',
    pattern: /(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]{0,6})[\u{e0000}-\u{e007f}]/u,
  },
  { name: 'bidirectional override', severity: 'Critical', pattern: /[\u202a-\u202e\u2066-\u2069]/ },
  {
    name: 'variation selectors',
    severity: 'High',
    pattern: /[\u{e0100}-\u{e01ef}]|[\ufe00-\ufe0f]{2}/u,
  },
  // Joiners stand between letters of some scripts and within emoji; anywhere else they hide.
  {
    name: 'zero-width characters',
    severity: 'High',
    pattern:
      /[\u200b\u2060-\u2064\u180e\u3164\u115f\u1160\uffa0\u206a-\u206f]|(?<!^)\ufeff|(?<=[\x20-\x7e])[\u200c\u200d]|[\u200c\u200d](?=[\x20-\x7e])/u,
  },
  {
    name: 'control characters',
    severity: 'High',
    pattern: /(?![\t\n\r])\p{Cc}/u,
  },
  { name: 'a comment of markup', severity: 'High', pattern: /<!--[\s\S]{12}/ },
  {
    name: 'text styled to be invisible',
    severity: 'High',
    pattern:
      /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|color\s*:\s*(?:white|#fff(?:fff)?)\b|opacity\s*:\s*0(?![.\d])/i,
  },
  {
    name: 'text pushed out of view',
    severity: 'High',
    pattern: /(?<![ \t\u00a0])[ \t\u00a0]{120,}\S|(?<!\s)(?:[ \t]{0,80}\r?\n){15,}[ \t]{0,80}\S/,
  },
]

/** Characters and markup that keep text from a person's eyes, not from a model's. */
export const hiddenText: Check = {
  severity: 'High',
  message: 'holds text that a person does not see and a model reads',
  owasp: 'MCP03',
  attacks: ['line_jumping', 'tool_poisoning'],
  look: ({ passages }) => {
    const hits: Hit[] = []
    for (const { at, raw } of passages)
      for (const { name, severity, pattern } of kinds) {
        const found = pattern.exec(raw)
        if (found === null) continue
        hits.push({ at, severity, quote: `${name}: ${visible(raw, found.index)}` })
        break
      }
    return hits
  },
}

/** What stands at a place, with tag letters read and everything unseen written out. */
function visible(text: string, at: number): string {
  let out = ''
  for (const letter of text.slice(at, at + 120)) {
    const code = letter.codePointAt(0) ?? 0
    if (code >= 0xe0020 && code < 0xe007f) out += String.fromCodePoint(code - 0xe0000)
    else if (/\p{Cc}|\p{Cf}|\p{Mn}/u.test(letter))
      out += `U+${code.toString(16).toUpperCase().padStart(4, '0')} `
    else out += letter
    if (out.length > 60) break
  }
  return out.trim()
}
