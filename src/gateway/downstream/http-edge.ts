import type { HttpHead } from './http-head.ts'

/** Which Host and Origin values the listener serves. */
export interface Edge {
  isHostServed(host: string): boolean
  isOriginAllowed(origin: string): boolean
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\./.test(host)

/**
 * The edge of a listener: exact names only, so that a name which merely resolves to this machine
 * opens nothing. `port` is the one really listened on.
 */
export function createEdge(o: {
  host: string
  port: number
  hosts: readonly string[]
  origins: readonly string[]
}): Edge {
  const bound = o.host.includes(':') ? `[${o.host}]` : o.host
  const names = [...new Set([...LOOPBACK, bound.toLowerCase()])]
  const served = new Set(
    names.flatMap((name) => (o.port === 80 ? [name, `${name}:80`] : [`${name}:${o.port}`])),
  )
  for (const host of o.hosts) served.add(host.toLowerCase())
  const origins = new Set(o.origins.map((origin) => origin.toLowerCase()))
  for (const host of served) {
    origins.add(`http://${host}`)
    origins.add(`https://${host}`)
  }
  const mayBeLocal = isLoopback(o.host)
  return {
    isHostServed: (host) => served.has(host) || served.has(host.toLowerCase()),
    isOriginAllowed: (origin) =>
      origins.has(origin.toLowerCase()) ||
      // A page that this machine's own browser loaded from this machine, as the inspector's.
      (mayBeLocal && /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(origin)),
  }
}

const NO_HEADERS: readonly string[] = []

/** What a browser of an allowed origin may do, as response headers: name, value, … */
export const corsHeaders = (head: HttpHead): readonly string[] =>
  head.origin === undefined
    ? NO_HEADERS
    : [
        ...['Access-Control-Allow-Origin', head.origin, 'Vary', 'Origin'],
        ...['Access-Control-Expose-Headers', 'Mcp-Session-Id, WWW-Authenticate'],
      ]

/** The answer to a preflight: name, value, … */
export const preflightHeaders = (head: HttpHead, params: readonly string[]): string[] => [
  ...corsHeaders(head),
  ...['Access-Control-Allow-Methods', 'POST, GET, DELETE'],
  'Access-Control-Allow-Headers',
  [
    'Authorization, Content-Type, Accept, Last-Event-ID, MCP-Protocol-Version, Mcp-Session-Id',
    ...['Mcp-Method', 'Mcp-Name'],
    ...params,
  ].join(', '),
  ...['Access-Control-Max-Age', '600'],
]
