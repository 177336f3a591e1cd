import { resolve } from 'node:path'
import process from 'node:process'
import type { Policy } from '../../core/policy/model.ts'
import type { ServerTarget } from '../../core/snapshot.ts'
import { CommandError, type Io, UsageError, type Words } from '../command.ts'
import { nameOf, targetOf } from '../commands/wrap.ts'
import type { Config } from '../config/config-model.ts'
import { type Loaded, loadFiles, problemLine } from '../load.ts'
import { findServers, placesOf } from './clients/find.ts'
import type { Subject } from './report.ts'

/** The policies that callers of a server are held to, by name. */
export type PoliciesOf = (
  server: string,
) => readonly { readonly name: string; readonly policy: Policy }[]

/** What to scan, and what is known besides. */
export interface Plan {
  readonly subjects: readonly Subject[]
  /** Servers that are not asked, with the reason. */
  readonly skipped: readonly {
    readonly subject: Omit<Subject, 'target'>
    readonly reason: string
  }[]
  readonly policiesOf: PoliciesOf
  readonly hasPolicies: boolean
  /** What the user should know before the result. */
  readonly notes: readonly string[]
}

/** What the command line asks to scan: one server, a configuration, or this machine's clients. */
export function planOf(words: Words, io: Io): Plan {
  const [command, ...args] = words.rest
  const url = words.text('upstream')
  const config = words.text('config')
  const ways = [
    command !== undefined,
    url !== undefined,
    config !== undefined,
    words.has('clients'),
  ]
  if (ways.filter(Boolean).length !== 1)
    throw new UsageError(
      '`scan` takes one of: a command after `--`, `--upstream URL`, `--config FILE`, `--clients`',
    )
  if (config !== undefined) return configPlan(resolve(io.cwd, config), io)
  if (words.has('clients')) return clientsPlan(io)
  const target = targetOf(command, args, url, words.texts('header'), io)
  if (target === undefined) throw new UsageError('`scan` needs a server')
  const name =
    words.text('name') ??
    (command === undefined ? new URL(url ?? '').hostname : nameOf(command, args))
  return {
    subjects: [{ name, origins: [], file: undefined, target }],
    skipped: [],
    policiesOf: () => [],
    hasPolicies: false,
    notes: [],
  }
}

function configPlan(file: string, io: Io): Plan {
  const read = loadFiles(file, io.env)
  if (!read.ok) throw new CommandError(read.problems.slice(0, 3).map(problemLine).join('; '))
  const { loaded } = read
  const servers = [...loaded.config.servers.values()]
  return {
    subjects: servers.map(({ name, target }) => ({ name, origins: [], file, target })),
    skipped: [],
    policiesOf: (server) => policiesFor(server, loaded),
    hasPolicies: true,
    notes: servers.length === 0 ? ['the configuration has no servers'] : [],
  }
}

/** The policies of every grant that opens a server, by itself or as a member of a stack. */
function policiesFor(server: string, { config, policies }: Loaded) {
  const names = new Set<string>()
  for (const grant of config.grants.values()) {
    const named = policyNamed(server, grant, config)
    if (named !== undefined) names.add(named)
  }
  return [...names].flatMap((name) => {
    const loaded = policies.get(name)
    return loaded === undefined ? [] : [{ name, policy: loaded.policy }]
  })
}

type FileGrant = Config['grants'] extends ReadonlyMap<string, infer Grant> ? Grant : never

function policyNamed(server: string, grant: FileGrant, { stacks }: Config): string | undefined {
  if (grant.server === server) return grant.policy
  if (grant.stack === undefined) return undefined
  const isMember = stacks.get(grant.stack.name)?.servers.includes(server) === true
  return isMember ? (grant.stack.policies[server] ?? grant.policy) : undefined
}

function clientsPlan(io: Io): Plan {
  const places = placesOf({ platform: process.platform, cwd: io.cwd, env: io.env })
  const found = findServers(places)
  const byTarget = new Map<string, Subject & { origins: string[] }>()
  const skipped: Plan['skipped'][number][] = []
  for (const { name, clientTitle, file, reached } of found.servers) {
    const origins = [clientTitle]
    if (reached.kind !== 'target') {
      const reason = reached.kind === 'off' ? 'it is switched off' : reached.reason
      skipped.push({ subject: { name, origins, file }, reason })
      continue
    }
    // The same server in several clients is started once.
    const key = JSON.stringify(reached.target)
    const known = byTarget.get(key)
    if (known === undefined)
      byTarget.set(key, { name, origins, file, target: withEnvironment(reached.target, io) })
    else if (!known.origins.includes(clientTitle)) known.origins.push(clientTitle)
  }
  const subjects = [...byTarget.values()]
  const count = (name: string): number => subjects.filter((s) => s.name === name).length
  return {
    subjects: subjects.map((s) =>
      count(s.name) === 1 ? s : { ...s, name: `${s.name} (${s.origins[0] ?? ''})` },
    ),
    skipped,
    policiesOf: () => [],
    hasPolicies: false,
    notes: [
      ...found.files
        .filter((f) => !f.isReadable)
        .map((f) => `can not read ${f.file} of ${f.client}`),
      ...(found.files.length === 0 ? ['no MCP client of this machine has a configuration'] : []),
    ],
  }
}

/** What programs need to find their way, which clients hand on besides what is configured. */
const HANDED_ON = [
  'SSH_AUTH_SOCK',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_CACHE_HOME',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
]

function withEnvironment(target: ServerTarget, { env }: Io): ServerTarget {
  if (target.kind !== 'stdio') return target
  const handed: Record<string, string> = {}
  for (const name of HANDED_ON) {
    const value = env[name]
    if (value !== undefined) handed[name] = value
  }
  return { ...target, env: { ...handed, ...target.env } }
}
