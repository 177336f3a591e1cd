import type { ServerView } from '../../core/contract/server.ts'
import { apiFlags, openApi } from '../api.ts'
import { type Command, UsageError, type Words } from '../command.ts'
import { jsonFlag, nounCommands } from '../noun-commands.ts'

const target = (s: ServerView): string => s.url ?? [s.command ?? '', ...s.args].join(' ')

/** `server list`, `server show` and `server rm`. */
export const { list, show, rm } = nounCommands<ServerView>({
  noun: 'server',
  path: 'servers',
  key: 'NAME',
  exampleKey: 'stripe',
  heading: ['NAME', 'KIND', 'FROM', 'TARGET'],
  row: (s) => [s.name, s.kind, s.source, target(s)],
  fields: (s) => [
    ['name', s.name],
    ['id', s.id],
    ['from', s.source === 'file' ? 'the configuration file' : 'the admin API'],
    ...(s.kind === 'http'
      ? ([
          ['url', s.url ?? ''],
          ['transport', s.transport ?? ''],
          ['headers', s.headers.map((h) => `${h}: (hidden)`).join(', ') || 'none'],
        ] as const)
      : ([
          ['command', target(s)],
          ['env', s.env.map((e) => `${e}=(hidden)`).join(' ') || 'none'],
          ['cwd', s.cwd ?? "the gateway's"],
          ['instances', s.instances ?? ''],
        ] as const)),
    ['era', s.era],
    ['methods', s.methods.join(', ') || 'none beyond the protocol'],
  ],
  none: 'no servers; add one with `sallyport server add NAME --upstream URL`',
  removal: 'Removes a server. Grants for it open nothing from then on.',
  removed: (name) => `server ${name} is removed`,
})

/** `server add`. */
export const add: Command = {
  usage: 'NAME (--upstream URL [--header H]… | -- CMD ARGS…) [--url URL]',
  about: 'Adds a server to a running gateway. A command needs `admin.commands: true` there.',
  flags: {
    upstream: { type: 'string', value: 'URL', about: 'where the server is' },
    header: {
      type: 'string',
      multiple: true,
      value: 'NAME:VALUE',
      about: 'sent with every request to it',
    },
    env: {
      type: 'string',
      multiple: true,
      value: 'NAME=VALUE',
      about: 'set for the command',
    },
    ...jsonFlag,
    ...apiFlags,
  },
  positionals: { min: 1, max: 1 },
  takesRest: true,
  examples: [
    ['server add stripe --upstream https://mcp.stripe.com', 'a server with a URL'],
    ['server add files -- npx @modelcontextprotocol/server-filesystem ./data', 'a command'],
  ],
  run: async (words, io) => {
    const made = (await openApi(words, io).post('servers', bodyOf(words))) as ServerView
    if (words.has('json')) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
    else io.stderr.write(`server ${made.name} is added\n`)
    return 0
  },
}

function bodyOf(words: Words): string {
  const [name = ''] = words.positionals
  const upstream = words.text('upstream')
  const [command, ...args] = words.rest
  if ((upstream === undefined) === (command === undefined))
    throw new UsageError('`server add` needs either `--upstream URL` or a command after `--`')
  if (upstream !== undefined) {
    const headers = pairs(words.texts('header'), 'header', ':')
    if (words.has('env')) throw new UsageError('`--env` belongs to a command after `--`')
    return JSON.stringify({ name, url: upstream, headers })
  }
  if (words.has('header')) throw new UsageError('`--header` belongs to `--upstream URL`')
  return JSON.stringify({ name, command, args, env: pairs(words.texts('env'), 'env', '=') })
}

function pairs(texts: readonly string[], flag: string, sign: string): Record<string, string> {
  const all = texts.map((text): [string, string] => {
    const at = text.indexOf(sign)
    // The text is not shown: it may hold a secret.
    if (at <= 0) throw new UsageError(`\`--${flag}\` needs NAME${sign}VALUE`)
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  })
  return Object.fromEntries(all)
}
