import type { GrantView } from '../../core/contract/grant.ts'
import { parseDate } from '../../core/contract/rules.ts'
import { apiFlags, openApi } from '../api.ts'
import { type Command, UsageError } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { jsonFlag, nounCommands } from '../noun-commands.ts'

const tagsOf = (g: GrantView): string =>
  Object.entries(g.tags)
    .map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`)
    .join(' ')

/** `grant list`, `grant show` and `grant rm`. */
export const { list, show, rm } = nounCommands<GrantView>({
  noun: 'grant',
  path: 'grants',
  key: 'LABEL',
  exampleKey: 'alice-laptop',
  heading: ['LABEL', 'SERVER', 'POLICY', 'EXPIRES', 'FROM', 'TAGS'],
  row: (g) => [
    g.label,
    g.server,
    g.policy ?? '(none: denied)',
    g.expires ?? 'never',
    g.source,
    tagsOf(g),
  ],
  fields: (g) => [
    ['label', g.label],
    ['id', g.id],
    ['from', g.source === 'file' ? 'the configuration file' : 'the admin API'],
    ['server', g.server],
    ['policy', g.policy ?? 'none: everything is denied'],
    ['not before', g.notBefore ?? 'at once'],
    ['expires', g.expires ?? 'never'],
    ['tags', tagsOf(g) || 'none'],
  ],
  none: 'no grants; make one with `sallyport grant add LABEL --server NAME --policy NAME`',
  removal: 'Revokes a grant, at once: its token opens nothing from then on.',
  removed: (label) => `grant ${label} is revoked`,
})

/** `grant add`. */
export const add: Command = {
  usage: 'LABEL --server NAME [--policy NAME] [--tag K=V]… [--expires WHEN] [--url URL]',
  about:
    'Makes a grant and prints its token on stdout. The token is shown this once: only its digest is kept.',
  flags: {
    server: { type: 'string', value: 'NAME', about: 'the one server that it opens' },
    policy: { type: 'string', value: 'NAME', about: 'without one, everything is denied' },
    tag: { type: 'string', multiple: true, value: 'K=V', about: 'read by policies' },
    expires: {
      type: 'string',
      value: 'WHEN',
      about: 'after a while (`30d`, `12h`) or at a date (`2027-01-31`)',
    },
    ...jsonFlag,
    ...apiFlags,
  },
  positionals: { min: 1, max: 1 },
  examples: [
    ['grant add alice-laptop --server stripe --policy readonly --expires 30d', 'for thirty days'],
    ['grant add ci --server stripe --policy readonly --tag team=build', 'with a tag'],
  ],
  run: async (words, io) => {
    const server = words.text('server')
    if (server === undefined) throw new UsageError('`grant add` needs `--server NAME`')
    const policy = words.text('policy')
    const until = words.text('expires')
    const tags = Object.fromEntries(words.texts('tag').map(tagPair))
    const body = {
      label: words.positionals[0],
      server,
      ...(policy === undefined ? {} : { policy }),
      ...(until === undefined ? {} : { expires: expiryOf(until, io.now()) }),
      tags,
    }
    const made = (await openApi(words, io).post('grants', JSON.stringify(body))) as GrantView & {
      token: string
    }
    if (words.has('json')) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
    else {
      io.stdout.write(`${made.token}\n`)
      const what =
        made.policy === null
          ? 'without a policy: everything is denied'
          : `under policy ${made.policy}`
      io.stderr.write(
        `grant ${made.label} opens server ${made.server} ${what}, ${made.expires === null ? 'without end' : `until ${made.expires}`}. The token is not shown again.\n`,
      )
    }
    return 0
  },
}

/** `K=V` as a member of the tags. */
export function tagPair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new UsageError('a tag is written K=V, as `team=imaging`')
  return [text.slice(0, at), text.slice(at + 1)]
}

function expiryOf(text: string, now: number): string {
  const lengthMs = parseDuration(text)
  if (lengthMs !== undefined) return new Date(now + lengthMs).toISOString()
  if (parseDate(text) !== undefined) return text
  throw new UsageError('`--expires` needs a duration (`30d`, `12h`) or a date (`2027-01-31`)')
}
