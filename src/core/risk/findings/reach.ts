import type { Severity } from '../../policy/model.ts'
import type { AttackId, OwaspId } from '../attacks.ts'
import type { Finding } from './finding.ts'
import { masked, TOKENS } from './secrets.ts'
import { isLookAlike } from './servers.ts'

/** How a server is reached, as its configuration has it. */
export type Reach =
  | {
      readonly kind: 'url'
      readonly url: string
      readonly headerNames: readonly string[]
    }
  | {
      readonly kind: 'process'
      readonly command: string
      readonly args: readonly string[]
    }

interface Kind {
  readonly severity: Severity
  readonly message: string
  readonly owasp: OwaspId
  readonly attacks: readonly AttackId[]
}

/** What can be wrong with how a server is reached, by the id that findings carry. */
export const reachChecks = {
  unpinned_package: {
    severity: 'Low',
    message: 'starts whatever version of its package is newest',
    owasp: 'MCP04',
    attacks: ['supply_chain', 'rug_pull'],
  },
  look_alike_package: {
    severity: 'Critical',
    message: 'starts a package that is named almost like a well-known one',
    owasp: 'MCP04',
    attacks: ['look_alike', 'supply_chain'],
  },
  unencrypted: {
    severity: 'High',
    message: 'is reached without TLS',
    owasp: 'MCP07',
    attacks: ['credential_theft'],
  },
  no_credential: {
    severity: 'Medium',
    message: 'lists its tools to anyone, without a credential',
    owasp: 'MCP07',
    attacks: ['confused_deputy'],
  },
  secret_in_arguments: {
    severity: 'Medium',
    message: 'is started with a secret that every process of this machine can read',
    owasp: 'MCP01',
    attacks: ['credential_theft'],
  },
} as const satisfies Record<string, Kind>

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** What is wrong with the way to a server. It says nothing of what the server does. */
export function inspectReach(reach: Reach): readonly Finding[] {
  const hit = (id: keyof typeof reachChecks, at: string, quote: string): Finding => ({
    id,
    ...reachChecks[id],
    at,
    quote,
  })
  if (reach.kind === 'url') {
    const [, scheme = '', host = ''] =
      /^([a-z]+):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)/i.exec(reach.url) ?? []
    const isLocal = LOOPBACK.test(host.toLowerCase())
    const found: Finding[] = []
    if (scheme.toLowerCase() === 'http' && !isLocal)
      found.push(hit('unencrypted', 'url', `http://${host}`))
    if (reach.headerNames.length === 0 && !isLocal) found.push(hit('no_credential', 'headers', ''))
    return found
  }
  const found: Finding[] = []
  if (isPinned(reach) === false)
    found.push(hit('unpinned_package', 'args', packageOf(reach) ?? reach.command))
  const known = wellKnownLike(packageOf(reach))
  if (known !== undefined)
    found.push(hit('look_alike_package', 'args', `${packageOf(reach)} ~ ${known}`))
  const secret = reach.args.find((arg) => TOKENS.test(arg))
  if (secret !== undefined) found.push(hit('secret_in_arguments', 'args', masked(secret)))
  return found
}

/** Names that others like to come close to: publishers of many servers, and much used packages. */
const WELL_KNOWN = [
  '@modelcontextprotocol',
  '@anthropic-ai',
  '@playwright',
  '@supabase',
  '@cloudflare',
  '@notionhq',
  '@upstash',
  '@sentry',
  '@stripe',
  '@azure',
  'server-filesystem',
  'server-everything',
  'server-memory',
  'server-github',
  'server-postgres',
  'server-slack',
  'server-sequential-thinking',
  'mcp-server-fetch',
  'mcp-server-git',
  'mcp-server-time',
  'mcp-server-sqlite',
  'mcp-remote',
  'chrome-devtools-mcp',
  'context7-mcp',
  'firecrawl-mcp',
  'mongodb-mcp-server',
  'desktop-commander',
  'mcp-atlassian',
]

/** The well-known name that a part of a package's name is mistaken for. */
function wellKnownLike(named: string | undefined): string | undefined {
  const parts = (named ?? '').replace(/(?<=.)@[^/]*$|==.*$/, '').split('/')
  return parts.map(nearTo).find((known) => known !== undefined)
}

const nearTo = (part: string): string | undefined =>
  WELL_KNOWN.includes(part) ? undefined : WELL_KNOWN.find((known) => isLookAlike(part, known))

const RUNNERS = /^(?:npx|bunx|pnpx|uvx|pipx|docker|podman)(?:\.(?:exe|cmd))?$/
/** Flags of runners that take a value. */
const WITH_VALUE = new Set([
  '-p',
  '--package',
  '--from',
  '--with',
  '--python',
  '-e',
  '--env',
  '-v',
  '--volume',
  '--network',
  '--name',
  '--mount',
])

/** The package or image that a runner starts; undefined where none does. */
export function packageOf({
  command,
  args,
}: Extract<Reach, { kind: 'process' }>): string | undefined {
  const program = command.split(/[\\/]/).at(-1) ?? ''
  if (!RUNNERS.test(program)) return undefined
  const from = args.findIndex((arg) => arg === '--from' || arg === '-p' || arg === '--package')
  if (from >= 0) return args[from + 1]
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (WITH_VALUE.has(arg)) i++
    else if (!arg.startsWith('-') && arg !== 'run' && arg !== 'exec') return arg
  }
  return undefined
}

/** Whether a package is held to one version; undefined where there is no package. */
export function isPinned(reach: Reach): boolean | undefined {
  const named = reach.kind === 'process' ? packageOf(reach) : undefined
  if (named === undefined) return undefined
  return /(?:@|==|:)v?\d+(?:\.\d+)+[\w.+-]*$|@sha256:[0-9a-f]{16,}$/.test(named)
}
