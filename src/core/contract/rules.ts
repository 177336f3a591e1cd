/**
 * What names, headers, addresses and tokens may look like, for the configuration file and the
 * admin API alike. Each rule gives what is wrong (lower case, one line, without the value), or
 * undefined.
 */

const serverName = /^[a-z0-9][a-z0-9_-]{0,62}$/
const policyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const grantLabel = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._@:+-]{0,127}$/u
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A server's name is a part of its URL and is compared exactly, so it is lower case only. */
export function wrongServerName(name: string): string | undefined {
  if (uuid.test(name)) return 'a server name may not look like an id (a UUID)'
  if (serverName.test(name)) return undefined
  return 'a server name is 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit'
}

/** A stack's name is a part of its URL, as a server's is. */
export function wrongStackName(name: string): string | undefined {
  if (uuid.test(name)) return 'a stack name may not look like an id (a UUID)'
  if (serverName.test(name)) return undefined
  return 'a stack name is 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit'
}

/** The most members that a stack has: every list asks all of them. */
export const MOST_MEMBERS = 32

/** What is wrong with a policy's name. */
export function wrongPolicyName(name: string): string | undefined {
  if (uuid.test(name)) return 'a policy name may not look like an id (a UUID)'
  if (policyName.test(name)) return undefined
  return 'a policy name is 1 to 63 of A-Z, a-z, 0-9, `.`, `-` and `_`, beginning with a letter or digit'
}

/** What is wrong with a grant's label. */
export function wrongGrantLabel(label: string): string | undefined {
  if (uuid.test(label)) return 'a grant label may not look like an id (a UUID)'
  if (grantLabel.test(label)) return undefined
  return 'a grant label is 1 to 128 letters, digits, blanks and `. _ @ : + -`, beginning with a letter or digit'
}

/** The shortest token that is taken, in characters. */
export const leastTokenLength = 16
const longestTokenLength = 512

/** What is wrong with a token that a person chose: it must be sendable as a bearer token. */
export function wrongToken(token: string): string | undefined {
  if (token.length < leastTokenLength)
    return `a token has at least ${leastTokenLength} characters, this one has ${token.length}`
  if (token.length > longestTokenLength)
    return `a token has at most ${longestTokenLength} characters`
  if (!/^[\x21-\x7e]+$/.test(token)) return 'a token holds only visible ASCII characters, no blanks'
  return undefined
}

/** Headers that belong to the connection or to the protocol: the gateway writes them itself. */
const reservedHeaders = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What is wrong with the name of a header to inject. */
export function wrongHeaderName(name: string): string | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name)) return 'this is not a header name'
  if (reservedHeaders.has(name.toLowerCase())) return 'the gateway writes this header itself'
  return undefined
}

/** What is wrong with the value of a header to inject. */
export function wrongHeaderValue(value: string): string | undefined {
  if (value.length > 8192) return 'a header value has at most 8192 characters'
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return undefined
  return 'a header value holds no line breaks, control characters or characters beyond Latin-1'
}

/** What is wrong with the name of an environment variable. */
export const wrongVariableName = (name: string): string | undefined =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? undefined
    : 'the name of an environment variable is letters, digits and `_`, not beginning with a digit'

/** What is wrong with a JSON-RPC method to relay. */
export const wrongMethod = (method: string): string | undefined =>
  /^[A-Za-z0-9_$.][A-Za-z0-9_$./-]{0,127}$/.test(method)
    ? undefined
    : 'a method is up to 128 letters, digits and `_ $ . / -`'

/** An instant from an ISO 8601 date, or date and time with its zone; undefined for anything else. */
export function parseDate(text: string): number | undefined {
  const iso =
    /^(\d{4})-(\d\d)-(\d\d)(?:[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/
  const match = iso.exec(text)
  if (match === null) return undefined
  const at = Date.parse(text.toUpperCase())
  // `Date.parse` rolls 30 February over to March; a calendar does not have it.
  const day = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  const isReal = new Intl.DateTimeFormat('en', { timeZone: 'UTC', day: 'numeric' }).format(day)
  return Number.isNaN(at) || Number(isReal) !== Number(match[3]) ? undefined : at
}

/** What is wrong with the URL of an upstream. */
export function wrongUpstreamUrl(text: string, parse: (text: string) => ParsedUrl | undefined) {
  const url = parse(text)
  if (url === undefined) return 'expected a URL, as `https://mcp.example.com/mcp`'
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return 'only http and https are reached'
  if (url.username !== '' || url.password !== '')
    return 'a URL may not hold a user name or password; put credentials into `headers`'
  if (url.hash !== '') return 'a URL to connect to has no fragment'
  return undefined
}

/** What {@link wrongUpstreamUrl} looks at; the platform's URL has it, core does not. */
export interface ParsedUrl {
  readonly protocol: string
  readonly username: string
  readonly password: string
  readonly hash: string
}
