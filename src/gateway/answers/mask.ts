/**
 * Takes configured credentials out of what a server says. What is found is written over with
 * asterisks of the same length, so that everything around it stays as it was.
 */

/** Writes over the credentials in texts, and in bodies that come in pieces. */
export interface Mask {
  /** The text without them; the same text where there are none. */
  text(text: string): string
  /** For one body that comes in pieces. */
  body(): MaskedBody
  /** For one body that is there in one piece; the same bytes where nothing is in it. */
  whole(bytes: Uint8Array): Uint8Array
}

/** One body on its way: what may be the beginning of a credential waits for what follows. */
export interface MaskedBody {
  push(bytes: Uint8Array): Uint8Array
  end(): Uint8Array
}

/** Shorter texts are no credentials, but words that answers are full of. */
const MIN_SECRET = 8
const MAX_SECRETS = 64
const MAX_SECRET = 4096
/** The longest form of one character: `\\\\u0041` in a text that is JSON in JSON. */
const MAX_FORM = 12

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
const latin = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('latin1')

/** The Base64 of a secret somewhere inside a longer text: what no neighbour has a part in. */
function* base64Forms(secret: string): Generator<string> {
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret, 'latin1')])
    const whole = bytes.toString('base64').replace(/=+$/, '')
    const end = bytes.length % 3 === 0 ? whole.length : whole.length - 1
    const form = whole.slice(before === 0 ? 0 : before + 1, end)
    yield form
    yield form.replaceAll('+', '-').replaceAll('/', '_')
  }
}

/** One character as JSON, a URL, or HTML may write it. */
function charForms(char: string): string {
  const hex = char.charCodeAt(0).toString(16).padStart(2, '0')
  const anyCase = hex.replace(/[a-f]/g, (c) => `[${c}${c.toUpperCase()}]`)
  const short = '"\\/'.includes(char) ? `|\\\\+${quoted(char)}` : ''
  const plus = char === ' ' ? '|\\+' : ''
  return `(?:${quoted(char)}|\\\\+u00${anyCase}|%(?:25)?${anyCase}|&#(?:${char.charCodeAt(0)}|[xX]${anyCase});${short}${plus})`
}

/** What the texts of a secret look like in an answer. */
interface Forms {
  /** Looked for as they are. */
  readonly plain: readonly string[]
  /** For texts that write some characters in another way. */
  readonly spelled: RegExp
}

const formsOf = (secret: string): Forms => {
  const hex = latin(secret, 'latin1')
    .split('')
    .map((c) => c.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('')
  return {
    plain: [...new Set([secret, ...base64Forms(secret), hex, hex.toUpperCase()])],
    spelled: new RegExp(Array.from(secret, charForms).join(''), 'g'),
  }
}

/** Signs that characters may be written in another way. */
const SPELLED = /\\u00|\\\/|\\\\|\\"|%|&#/

const over = (found: string): string => '*'.repeat(found.length)

/** A mask for some credentials; undefined where there is nothing to look for. */
export function createMask(credentials: readonly string[]): Mask | undefined {
  const secrets = [...new Set(credentials.map((c) => latin(c)))]
    .filter((secret) => secret.length >= MIN_SECRET && secret.length <= MAX_SECRET)
    .toSorted((a, b) => b.length - a.length)
    .slice(0, MAX_SECRETS)
  if (secrets.length === 0) return undefined
  const forms = secrets.map(formsOf)
  const longest = (secrets[0] as string).length * MAX_FORM

  /** Of Latin-1 characters, each a byte. */
  const masked = (text: string): string => {
    let out = text
    const isSpelled = SPELLED.test(text)
    for (const { plain, spelled } of forms) {
      for (const form of plain) if (out.includes(form)) out = out.replaceAll(form, over)
      if (isSpelled) out = out.replace(spelled, over)
    }
    return out
  }

  const maskedBytes = (bytes: Buffer): Buffer => {
    const text = bytes.toString('latin1')
    const out = masked(text)
    return out === text ? bytes : Buffer.from(out, 'latin1')
  }
  const bufferOf = (bytes: Uint8Array): Buffer =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

  return {
    whole: (bytes) => maskedBytes(bufferOf(bytes)),
    text(text) {
      const bytes = latin(text)
      const out = masked(bytes)
      return out === bytes ? text : Buffer.from(out, 'latin1').toString('utf8')
    },
    body() {
      let waiting: Buffer = Buffer.alloc(0)
      const take = (bytes: Uint8Array): Buffer =>
        maskedBytes(waiting.length === 0 ? bufferOf(bytes) : Buffer.concat([waiting, bytes]))
      return {
        push(bytes) {
          const all = take(bytes)
          const ready = Math.max(0, all.length - longest)
          waiting = all.subarray(ready)
          return all.subarray(0, ready)
        },
        end: () => waiting,
      }
    },
  }
}
