import { isAbsolute, resolve } from 'node:path'
import type { ServerTarget } from '../../../core/snapshot.ts'
import type { Places } from './formats.ts'

/** How a server is reached, or why it is not asked. */
export type Reached =
  | { readonly kind: 'target'; readonly target: ServerTarget }
  | { readonly kind: 'off' }
  | { readonly kind: 'unreadable'; readonly reason: string }

type Raw = Readonly<Record<string, unknown>>

const isTable = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Any client's way to write a server down, as ours: they differ in names, not in what they say. */
export function targetOf(given: unknown, places: Places): Reached {
  const outer = isTable(given) ? given : {}
  const raw: Raw = isTable(outer.config) ? { ...outer, ...outer.config } : outer
  if (raw.disabled === true || raw.enabled === false) return { kind: 'off' }
  const missing = new Set<string>()
  const expand = (text: string): string => expanded(text, places, missing)
  const target = urlTarget(raw, places, expand) ?? processTarget(raw, places, expand)
  if (target === undefined)
    return { kind: 'unreadable', reason: 'it has neither a command nor a url' }
  if (missing.size > 0)
    return { kind: 'unreadable', reason: `it needs ${[...missing].slice(0, 5).join(', ')}` }
  return { kind: 'target', target }
}

function urlTarget(
  raw: Raw,
  { env }: Places,
  expand: (text: string) => string,
): ServerTarget | undefined {
  const url = [raw.httpUrl, raw.serverUrl, raw.url, raw.uri].find((u) => typeof u === 'string')
  if (typeof url !== 'string') return undefined
  const options = isTable(raw.requestOptions) ? raw.requestOptions : {}
  const headers: Record<string, string> = {}
  for (const part of [raw.headers, raw.http_headers, options.headers])
    for (const [name, value] of textsOf(part)) headers[name] = expand(value)
  for (const [name, variable] of textsOf(raw.env_http_headers))
    headers[name] = expand(`\${${variable}}`)
  if (typeof raw.bearer_token_env_var === 'string' && env[raw.bearer_token_env_var] !== undefined)
    headers.Authorization = `Bearer ${env[raw.bearer_token_env_var]}`
  const type = String(raw.type ?? raw.transport ?? '').toLowerCase()
  return {
    kind: 'http',
    url: expand(url),
    headers,
    transport: type === 'sse' ? 'sse' : 'auto',
  }
}

function processTarget(
  raw: Raw,
  places: Places,
  expand: (text: string) => string,
): ServerTarget | undefined {
  // Zed nests them (`command: { path, args, env }`), opencode lists them, Goose says `cmd`.
  const nested: Raw = isTable(raw.command) ? raw.command : {}
  const listed = Array.isArray(raw.command) ? raw.command.filter((w) => typeof w === 'string') : []
  const command = [raw.command, nested.path, raw.cmd, listed[0]].find((c) => typeof c === 'string')
  if (typeof command !== 'string' || command === '') return undefined
  const given = [raw.args, nested.args].find(Array.isArray) ?? []
  const args = [...listed.slice(1), ...given.filter((w) => typeof w === 'string')]
  const env: Record<string, string> = {}
  for (const part of [raw.env, nested.env, raw.environment, raw.envs])
    for (const [name, value] of textsOf(part)) env[name] = expand(value)
  for (const list of [raw.env_vars, raw.env_keys])
    for (const name of Array.isArray(list) ? list : []) {
      const value = typeof name === 'string' ? places.env[name] : undefined
      if (typeof name === 'string' && value !== undefined) env[name] = value
    }
  const cwd = typeof raw.cwd === 'string' ? expand(raw.cwd) : undefined
  return {
    kind: 'stdio',
    command: expand(command),
    args: args.map(expand),
    env,
    cwd: cwd === undefined || isAbsolute(cwd) ? cwd : resolve(places.cwd, cwd),
    instances: 'session',
  }
}

const textsOf = (value: unknown): readonly (readonly [string, string])[] =>
  isTable(value)
    ? Object.entries(value).flatMap(([name, v]) =>
        ['string', 'number', 'boolean'].includes(typeof v) ? [[name, String(v)] as const] : [],
      )
    : []

/** `${NAME}`, `${env:NAME}`, `${NAME:-default}`, `{env:NAME}`; what a client asks its user for is missing. */
const VARIABLE =
  /\$\{(?:(input|prompt|env):)?([A-Za-z_][\w.-]*)(?::-([^}]*))?\}|\{env:([A-Za-z_]\w*)\}|\$\{\{\s*secrets\.([\w.]+)\s*\}\}/g

function expanded(text: string, { env, home, cwd }: Places, missing: Set<string>): string {
  const own: Readonly<Record<string, string>> = {
    workspaceFolder: cwd,
    userHome: home,
    workspaceRoot: cwd,
    pathSeparator: '/',
  }
  return text
    .replace(VARIABLE, (_, kind, name, byDefault, braced, secret) => {
      const variable = name ?? braced ?? secret ?? ''
      const value =
        kind === 'input' || kind === 'prompt'
          ? undefined
          : (own[variable] ?? env[variable] ?? byDefault)
      if (value === undefined)
        missing.add(
          kind === 'input' || kind === 'prompt'
            ? `the input \`${variable}\``
            : `the variable \`${variable}\``,
        )
      return value ?? ''
    })
    .replace(/^~(?=\/|$)/, home)
}
