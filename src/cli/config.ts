import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  wrongGrantLabel,
  wrongPolicyName,
  wrongServerName,
  wrongStackName,
} from '../core/contract/rules.ts'
import type { Problem } from '../core/problem.ts'
import type { ServerEntry, StackEntry } from '../core/snapshot.ts'
import { type Config, emptyConfig, type FileGrant } from './config/config-model.ts'
import {
  expected,
  type Fields,
  readBoolean,
  readChoice,
  readEntries,
  readFields,
  readFilled,
  readInteger,
  readTexts,
} from './config/fields.ts'
import { type Referable, readGrant, readToken } from './config/read-grant.ts'
import { readServer } from './config/read-server.ts'
import { readStack } from './config/read-stack.ts'
import { parseTree, type Report, type Value } from './config/tree.ts'

/** The environment that `${NAME}` refers to. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A configuration, or everything that is wrong with its file. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const keys = [
  'version',
  'listen',
  'store',
  'counters',
  'audit',
  'admin',
  'servers',
  'policies',
  'grants',
  'stacks',
]
const largestFile = 8 << 20

/** Reads `sallyport.yaml`. Paths in it are relative to the file. */
export function loadConfig(file: string, env: Environment): LoadedConfig {
  const text = readConfigText(file)
  return typeof text === 'string'
    ? parseConfig(text, { file, env })
    : { ok: false, problems: [text] }
}

/** The text of a file that a person wrote, or why there is none. */
export function readConfigText(file: string): string | Problem {
  const problem = (message: string, hint?: string): Problem => ({
    pointer: '',
    line: 1,
    column: 1,
    message,
    ...(hint === undefined ? {} : { hint }),
  })
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return problem('there is no such file')
    if (code === 'EISDIR') return problem('this is a folder; expected a file')
    if (code === 'EACCES') return problem('this file may not be read', 'check its permissions')
    return problem(`this file can not be read (${code ?? 'unknown error'})`)
  }
  if (bytes.length > largestFile) return problem('this file is larger than 8 MiB')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return problem('this file is not UTF-8 text', 'save it as UTF-8')
  }
}

/** Reads the text of a configuration. */
export function parseConfig(text: string, from: { file: string; env: Environment }): LoadedConfig {
  const { tree, problems, report } = parseTree(text, from.env)
  const config =
    tree === undefined ? undefined : readConfig(report, tree, dirname(resolve(from.file)))
  if (config !== undefined && problems.length === 0) return { ok: true, config }
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return { ok: false, problems: sorted }
}

function readConfig(report: Report, tree: Value, directory: string): Config | undefined {
  const fields = readFields(report, tree, keys, 'a configuration, beginning with `version: 1`')
  if (fields === undefined) return undefined
  readVersion(report, fields)
  readStores(report, fields)
  const admin = readAdmin(report, fields)
  const servers = readServers(report, fields, directory)
  const policies = readPolicies(report, fields, directory)
  const named = (key: string) =>
    new Set(readEntries(() => {}, fields.get(key), '').map((entry) => entry.key))
  const stacks = readStacks(report, fields, named('servers'))
  const members = [...named('stacks')].map((name) => [name, stacks.get(name)?.servers] as const)
  const grants = readGrants(report, fields, {
    servers: named('servers'),
    policies: named('policies'),
    stacks: new Map(members),
  })
  return {
    listen: readListen(report, fields),
    store: 'sqlite',
    counters: 'store',
    audit: readChoice(report, fields.get('audit'), ['buffered', 'strict']) ?? 'buffered',
    admin,
    servers,
    policies,
    stacks,
    grants: grants.grants,
    literalSecrets: [...literal(fields.get('admin')), ...grants.literal],
  }
}

function readVersion(report: Report, fields: Fields): void {
  const version = fields.get('version')
  if (version === undefined) report(fields.at, '`version` is missing', 'add `version: 1`')
  else if (version.kind !== 'number' || version.text !== '1')
    report(version, 'only `version: 1` is known here')
}

function readStores(report: Report, fields: Fields): void {
  const store = fields.get('store')
  // The value is not shown: a database URL holds a password.
  if (store !== undefined && (store.kind !== 'text' || store.text !== 'sqlite'))
    report(
      store,
      'only `sqlite` (a file in the data dir) is supported today',
      'write `store: sqlite`',
    )
  const counters = fields.get('counters')
  if (counters !== undefined && (counters.kind !== 'text' || counters.text !== 'store'))
    report(
      counters,
      'only `store` (counters beside everything else) is supported today',
      'write `counters: store`',
    )
}

function readListen(report: Report, fields: Fields): Config['listen'] {
  const value = fields.get('listen')
  if (value === undefined) return emptyConfig.listen
  const listen = readFields(report, value, ['host', 'port', 'hosts', 'origins'], 'host and port')
  if (listen === undefined) return emptyConfig.listen
  const hosts = readTexts(report, listen.get('hosts'), 'a list of host names')
  if (hosts.some((h) => !/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.test(h)))
    report(
      listen.keyOf('hosts'),
      'expected host names without scheme and path, as `gateway.example.com`',
    )
  const origins = readTexts(report, listen.get('origins'), 'a list of origins')
  if (origins.some((o) => URL.parse(o)?.origin !== o))
    report(
      listen.keyOf('origins'),
      'expected origins: scheme, host and port only, as `https://app.example.com`',
    )
  const host = readFilled(report, listen.get('host'), 'an address to listen on')
  if (host !== undefined && !/^(?:[0-9A-Fa-f:.]+|[A-Za-z0-9._-]+)$/.test(host))
    report(listen.keyOf('host'), 'expected an address to listen on, as `127.0.0.1` or `::1`')
  const port = readInteger(report, listen.get('port'), { min: 0, max: 65_535 })
  return {
    host: host ?? emptyConfig.listen.host,
    port: port ?? emptyConfig.listen.port,
    hosts: hosts.map((h) => h.toLowerCase()),
    origins,
  }
}

function readAdmin(report: Report, fields: Fields): Config['admin'] {
  const value = fields.get('admin')
  if (value === undefined) return emptyConfig.admin
  const admin = readFields(report, value, ['token', 'commands'], '`token` and `commands`')
  if (admin === undefined) return emptyConfig.admin
  return {
    tokenDigest: readToken(report, admin.get('token')),
    commands: readBoolean(report, admin.get('commands')) ?? false,
  }
}

function readServers(report: Report, fields: Fields, directory: string): Map<string, ServerEntry> {
  const servers = new Map<string, ServerEntry>()
  for (const { key, offset, value } of readEntries(
    report,
    fields.get('servers'),
    'servers by name',
  )) {
    const wrong = wrongServerName(key)
    if (wrong !== undefined) report({ pointer: value.pointer, offset }, `\`${key}\`: ${wrong}`)
    const server = readServer(report, key, value, directory)
    if (server !== undefined) servers.set(key, server)
  }
  return servers
}

function readStacks(
  report: Report,
  fields: Fields,
  servers: ReadonlySet<string>,
): Map<string, StackEntry> {
  const stacks = new Map<string, StackEntry>()
  for (const { key, offset, value } of readEntries(
    report,
    fields.get('stacks'),
    'stacks by name',
  )) {
    const wrong = wrongStackName(key)
    if (wrong !== undefined) report({ pointer: value.pointer, offset }, `\`${key}\`: ${wrong}`)
    const stack = readStack(report, key, value, servers)
    if (stack !== undefined) stacks.set(key, stack)
  }
  return stacks
}

function readPolicies(report: Report, fields: Fields, directory: string): Map<string, string> {
  const policies = new Map<string, string>()
  const what = 'policies, as `readonly: ./policies/readonly.json`'
  for (const { key, offset, value } of readEntries(report, fields.get('policies'), what)) {
    const wrong = wrongPolicyName(key)
    if (wrong !== undefined) report({ pointer: value.pointer, offset }, `\`${key}\`: ${wrong}`)
    if (value.kind !== 'text') expected(report, value, 'the name of a policy file')
    const file =
      value.kind === 'text' ? readFilled(report, value, 'the name of a policy file') : undefined
    if (file !== undefined) policies.set(key, resolve(directory, file))
  }
  return policies
}

function readGrants(
  report: Report,
  fields: Fields,
  names: Referable,
): { grants: Map<string, FileGrant>; literal: string[] } {
  const grants = new Map<string, FileGrant>()
  const owners = new Map<string, string>()
  const literals: string[] = []
  for (const { key, offset, value } of readEntries(
    report,
    fields.get('grants'),
    'grants by label',
  )) {
    const at = { pointer: value.pointer, offset }
    const wrong = wrongGrantLabel(key)
    if (wrong !== undefined) report(at, `\`${key}\`: ${wrong}`)
    const grant = readGrant(report, key, value, names)
    literals.push(...literal(value))
    if (grant === undefined) continue
    const owner = owners.get(grant.tokenDigest)
    if (owner !== undefined)
      report(at, `\`${key}\` has the same token as \`${owner}\``, 'give every grant its own token')
    else owners.set(grant.tokenDigest, key)
    grants.set(key, grant)
  }
  return { grants, literal: literals }
}

/** Where a token stands in the file itself. */
function literal(value: Value | undefined): readonly string[] {
  if (value?.kind !== 'map') return []
  const token = value.entries.find((e) => e.key === 'token')?.value
  return token?.kind === 'text' && !token.isExpanded ? [token.pointer] : []
}
