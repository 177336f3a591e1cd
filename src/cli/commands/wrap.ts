import { basename, resolve } from 'node:path'
import { classify } from '../../core/risk/classify.ts'
import type { Grant, LoadedPolicy, ServerEntry, ServerTarget } from '../../core/snapshot.ts'
import { serveStdio } from '../../gateway/downstream/stdio.ts'
import { endLike, liveTogether, watchEnds } from '../../gateway/downstream/stdio-lifetime.ts'
import { Servers } from '../../gateway/servers.ts'
import { handedEnvironment } from '../../gateway/upstream/child-environment.ts'
import { openServer } from '../../gateway/upstream/index.ts'
import { type Command, CommandError, type Io, UsageError, type Words } from '../command.ts'
import { emptyConfig } from '../config/config-model.ts'
import { fileId } from '../config/secret.ts'
import { dataDirOf } from '../data-dir.ts'
import { type Load, loadFiles, loadPolicies } from '../load.ts'
import { type Core, systemClock, wireCore } from '../wire.ts'
import { logTo, told } from './serve.ts'

const DRAIN_MS = 30_000
const SIGNAL_GRACE_MS = 5_000
const MAX_FRAME = 4 << 20

/** `wrap`. */
export const command: Command = {
  usage:
    '[--policy FILE|NAME] [--name NAME] [--config FILE] [--data-dir DIR] (-- CMD ARGS… | --upstream URL [--header H]…)',
  about:
    'Stands in for one MCP server in a client’s own configuration: speaks MCP on stdin and stdout, holds every call to a policy, and passes the rest to the command or URL. Without a policy every call is denied.',
  flags: {
    policy: { type: 'string', value: 'FILE', about: 'the policy: a file, or a name of --config' },
    name: {
      type: 'string',
      value: 'NAME',
      about: 'what the server is called in records and counters',
    },
    config: {
      type: 'string',
      value: 'FILE',
      about: 'a sallyport.yaml whose server NAME and policies may be used',
    },
    upstream: {
      type: 'string',
      value: 'URL',
      about: 'a server over Streamable HTTP or HTTP+SSE instead of a command',
    },
    header: {
      type: 'string',
      multiple: true,
      value: "'NAME: VALUE'",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: written by the reader, for us to expand
      about: 'sent to the upstream; ${VAR} is read from the environment',
    },
    'data-dir': {
      type: 'string',
      value: 'DIR',
      about: 'where the store is (default ~/.sallyport)',
    },
  },
  positionals: { min: 0, max: 0 },
  takesRest: true,
  examples: [
    [
      'wrap --policy readonly.json -- npx -y @modelcontextprotocol/server-filesystem ~/notes',
      'a command',
    ],
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: written by the reader, for us to expand
      "wrap --policy p.yaml --upstream https://mcp.example.com/mcp --header 'Authorization: Bearer ${KEY}'",
      'a URL',
    ],
  ],
  run: async (words, io) => {
    const plan = planOf(words, io)
    const log = logTo(io)
    const wired = await wireCore({
      load: plan.load,
      dataDir: dataDirOf(words.text('data-dir'), io),
      log,
    })
    if (!wired.ok) throw new CommandError(told(wired.problems, io))
    const { core } = wired
    const entry = entryOf(plan, core)
    const ends = watchEnds()
    const { upstream, signal } = openServer(entry, {
      log,
      clock: systemClock,
      process: {
        bounds: { idleMs: Number.POSITIVE_INFINITY },
        stderr: 'inherit',
        onExit: ends.onExit,
      },
    })
    const servers = new Servers(
      () => upstream,
      (definition) => classify(definition),
    )
    const listener = serveStdio({
      gate: { ...core.gate, grantOf: () => grantOf(plan, core) },
      server: servers.of(entry),
      grant: () => grantOf(plan, core),
      input: io.stdin,
      output: io.stdout,
      maxFrameBytes: MAX_FRAME,
      drainMs: DRAIN_MS,
    })
    const end = await liveTogether({
      listener,
      ends,
      closeUpstream: () => upstream.close(),
      signalUpstream: signal,
      signals: process,
      report: (line) => void io.stderr.write(`sallyport: ${line}\n`),
      signalGraceMs: entry.target.kind === 'stdio' ? SIGNAL_GRACE_MS : 0,
    })
    await core.close()
    endLike(end, process)
    return end.kind === 'exit' ? end.code : 1
  },
}

/** What the command line asks for. */
interface Plan {
  readonly name: string
  /** Name of the policy within the loaded configuration; undefined denies everything. */
  readonly policy: string | undefined
  /** Undefined: the server NAME of the configuration. */
  readonly target: ServerTarget | undefined
  readonly load: Load
}

function planOf(words: Words, io: Io): Plan {
  const [command, ...args] = words.rest
  const url = words.text('upstream')
  if (command !== undefined && url !== undefined)
    throw new UsageError('`wrap` takes a command after `--` or `--upstream`, not both')
  const config = words.text('config')
  const name = words.text('name')
  const target = targetOf(command, args, url, words.texts('header'), io)
  if (target === undefined && (config === undefined || name === undefined))
    throw new UsageError(
      '`wrap` needs a command after `--`, an `--upstream`, or a `--name` of `--config`; `sallyport wrap --help` shows how',
    )
  const policy = words.text('policy')
  const file = config === undefined ? undefined : resolve(io.cwd, config)
  return {
    name:
      name ??
      (command === undefined
        ? url === undefined
          ? 'server'
          : new URL(url).hostname
        : nameOf(command, args)),
    policy,
    target,
    load: () => loadWrapped(file, policy, io),
  }
}

/** The configuration (if any), with the policy file added under its own path as its name. */
function loadWrapped(
  file: string | undefined,
  policy: string | undefined,
  io: Io,
): ReturnType<Load> {
  const loaded = loadFiles(file, io.env)
  if (!loaded.ok || policy === undefined) return loaded
  if (loaded.loaded.config.policies.has(policy)) return loaded
  const config = file === undefined ? emptyConfig : loaded.loaded.config
  const policies = new Map(config.policies).set(policy, resolve(io.cwd, policy))
  return loadPolicies({ ...config, policies }, loaded.files)
}

/** The server that a command line names; undefined when it names none. */
export function targetOf(
  command: string | undefined,
  args: readonly string[],
  url: string | undefined,
  headers: readonly string[],
  io: Io,
): ServerTarget | undefined {
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new UsageError(`\`--upstream\` must be an http or https URL, not \`${url}\``)
    const injected = Object.fromEntries(headers.map((h) => headerOf(h, io)))
    return { kind: 'http', url, headers: injected, transport: 'auto' }
  }
  if (headers.length > 0) throw new UsageError('`--header` goes with `--upstream`')
  if (command === undefined) return undefined
  // A client gave this environment for its server: it is handed on, without what is ours.
  const env = handedEnvironment(io.env)
  return { kind: 'stdio', command, args, env, cwd: undefined, instances: 'session' }
}

function headerOf(text: string, io: Io): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new UsageError("`--header` must look like 'Name: value'")
  return [
    name,
    value.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, variable: string) => {
      const found = io.env[variable]
      if (found === undefined)
        throw new UsageError(`the environment has no \`${variable}\`, which a --header names`)
      return found
    }),
  ]
}

/** What a command is best called: the package that a runner starts, or the program. */
export function nameOf(command: string, args: readonly string[]): string {
  const program = basename(command).replace(/\.(exe|cmd|js|mjs)$/, '')
  const isRunner = /^(npx|uvx|bunx|node|python3?|deno|docker)$/.test(program)
  const named = isRunner ? args.find((arg) => !arg.startsWith('-')) : undefined
  return basename(named ?? program).replace(/@[^@/]*$/, '') || program
}

function entryOf(plan: Plan, core: Core): ServerEntry {
  const known = core.watch.current().snapshot.servers.get(plan.name)
  if (plan.target === undefined) {
    if (known === undefined)
      throw new CommandError(`the configuration has no server \`${plan.name}\``)
    return known
  }
  return {
    id: fileId('wrap', plan.name),
    name: plan.name,
    target: plan.target,
    era: known?.era ?? 'auto',
    methods: known?.methods ?? [],
    source: 'file',
  }
}

/** The grant of whoever started us: as stable as the name, with the policy as it is now. */
function grantOf(plan: Plan, core: Core): Grant {
  const loaded: LoadedPolicy | undefined =
    plan.policy === undefined ? undefined : core.watch.current().snapshot.policies.get(plan.policy)
  return {
    id: fileId('wrap grant', plan.name),
    label: `wrap:${plan.name}`,
    server: plan.name,
    policy: loaded,
    tags: {},
    notBefore: undefined,
    expiresAt: undefined,
  }
}
