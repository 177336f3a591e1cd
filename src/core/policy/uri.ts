/**
 * URIs as a policy compares them. Servers take the same resource from many spellings; a rule speaks of
 * all of them, and what two readers could take for two resources is no URI that can be judged.
 */

/** What a URI may stand for. */
export interface UriReadings {
  /** Its canonical form: what `allow` must name. */
  readonly canonical: string
  /** The canonical form and what careless servers make of it: none of them may be denied. */
  readonly all: readonly string[]
}

const MAX_URI = 8192
/** Characters that show nothing, or look like what divides a path. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single invisible code points are meant
  /[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uff0e\uff0f\uff3c\u2215\u2044]/u
/** Characters that a URI must escape, and that servers drop or turn around. */
const FORBIDDEN = /[ \\"<>^`|]/
/** A percent sign that begins no byte; and bytes that divide a path, end a text, or are decoded twice. */
const AMBIGUOUS = /%(?![0-9A-Fa-f]{2})|%(?:2[Ff]|5[Cc]|[01][0-9A-Fa-f]|7[Ff]|25[0-9A-Fa-f]{2})/
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/su
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/
const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' }

/** Escaped characters as themselves, where the bytes are UTF-8. */
const decoded = (text: string): string =>
  text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes.toUpperCase()
    }
  })

function authorityOf(scheme: string, authority: string): string {
  const at = authority.lastIndexOf('@') + 1
  const host = decoded(authority.slice(at))
    .toLowerCase()
    .replace(/\.(?=:|$)/, '')
    .replace(new RegExp(`:${PORTS[scheme] ?? ''}$`), '')
  return authority.slice(0, at) + (scheme === 'file' && host === 'localhost' ? '' : host)
}

/** How a URI is read; undefined for a text that has no one reading. */
export function readUri(text: string): UriReadings | undefined {
  if (text.length > MAX_URI || [UNSEEN, FORBIDDEN, AMBIGUOUS].some((odd) => odd.test(text)))
    return undefined
  const parts = PARTS.exec(text)
  if (parts === null) {
    // No scheme: a name of the server's own.
    const name = decoded(text).normalize('NFC')
    return DOTS.test(name) ? undefined : { canonical: name, all: [name] }
  }
  const [, given = '', authority, path = '', query = '', fragment = ''] = parts
  const scheme = given.toLowerCase()
  const isFile = scheme === 'file'
  let way = decoded(path).normalize('NFC')
  if (DOTS.test(way) || UNSEEN.test(way)) return undefined
  if (isFile) way = `/${way}`.replace(/\/{2,}/g, '/')
  const host = authority === undefined ? (isFile ? '' : undefined) : authorityOf(scheme, authority)
  const start = host === undefined ? `${scheme}:` : `${scheme}://${host}`
  const tail = decoded(query) + decoded(fragment)
  const canonical = start + way + tail
  const bare = start + way
  const all = new Set([
    canonical,
    bare,
    start + way + decoded(query),
    ...[bare.replace(/\/+$/, ''), start + way.replace(/\/{2,}/g, '/').replace(/\/$/, '')],
  ])
  return { canonical, all: [...all] }
}

/** A name or glob of a policy in the form that it is compared in; as it is when it is no URI. */
export function canonicalPattern(pattern: string): string {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(pattern)?.[0]
  if (scheme === undefined) return decoded(pattern).normalize('NFC')
  const rest = pattern.slice(scheme.length)
  const [, authority, path = ''] = /^:(?:\/\/([^/?#]*))?(.*)$/su.exec(rest) ?? []
  const lower = scheme.toLowerCase()
  const isFile = lower === 'file'
  const way = decoded(path).normalize('NFC')
  if (authority === undefined)
    return isFile && way.startsWith('/') ? `file://${way}` : `${lower}:${way}`
  return `${lower}://${authorityOf(lower, authority)}${isFile ? way.replace(/\/{2,}/g, '/') : way}`
}
