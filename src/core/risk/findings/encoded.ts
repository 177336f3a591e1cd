import type { Check, Hit } from './finding.ts'

const BLOB = /[A-Za-z0-9+/_-]{40,}={0,2}/g
const HEX = /\b(?:[0-9a-f]{2}){24,}\b/gi
const ESCAPED = /(?:\\u00[2-7][0-9a-f]|\\x[2-7][0-9a-f]|%[2-7][0-9a-f]|&#x?[0-9a-f]{2,3};){8,}/i
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const MAX_BLOBS = 20
const MIN_RUN = 40

/** Sentences that are encoded so that only a model, or a tool that it is told to use, reads them. */
export const encodedText: Check = {
  severity: 'High',
  message: 'holds encoded text that decodes to sentences',
  owasp: 'MCP03',
  attacks: ['tool_poisoning', 'line_jumping'],
  look: ({ passages }) => {
    const hits: Hit[] = []
    for (const { at, raw } of passages) {
      if (!hasLongRun(raw)) continue
      const text = decoded(raw)
      if (text !== undefined) hits.push({ at, quote: text.slice(0, 80) })
      else {
        const escaped = ESCAPED.exec(raw)
        if (escaped !== null) hits.push({ at, quote: escaped[0].slice(0, 80) })
      }
    }
    return hits
  },
}

/** True where so many characters stand without a blank that something may be encoded in them. */
function hasLongRun(text: string): boolean {
  if (text.length < MIN_RUN) return false
  let run = 0
  for (let i = 0; i < text.length; i++) {
    run = text.charCodeAt(i) > 32 ? run + 1 : 0
    if (run >= MIN_RUN) return true
  }
  return false
}

function decoded(raw: string): string | undefined {
  let tried = 0
  for (const [blob] of raw.matchAll(BLOB)) {
    if (++tried > MAX_BLOBS) return undefined
    const text = fromBase64(blob.slice(0, 400))
    if (isSentence(text)) return text
  }
  for (const [hex] of raw.matchAll(HEX)) {
    if (++tried > MAX_BLOBS) return undefined
    const text = hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))
    if (isSentence(text)) return text
  }
  return undefined
}

function fromBase64(blob: string): string {
  let bits = 0
  let held = 0
  let out = ''
  for (const letter of blob.replaceAll('-', '+').replaceAll('_', '/')) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) break
    held = ((held << 6) | value) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    out += String.fromCharCode((held >> bits) & 0xff)
  }
  return out
}

/** Words with blanks between them, and nothing that is not text. */
const isSentence = (text: string): boolean =>
  text.length >= 24 &&
  /^[\x20-\x7e\n]+$/.test(text) &&
  (text.match(/[a-z]{2,} /gi) ?? []).length >= 3
