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

/** What a grant opens, and under which policies. */
const opensOf = (g: GrantView): string => g.server ?? `${g.stack} (stack)`
const policiesOf = (g: GrantView, none: string): string => {
  const own = Object.entries(g.policies).map(([member, policy]) => `${member}=${policy}`)
  return [...(g.policy === null ? [] : [g.policy]), ...own].join(' ') || none
}

/** `grant list`, `grant show` and `grant rm`. */
export const { list, show, rm } = nounCommands<GrantView>({
  noun: 'grant',
  path: 'grants',
  key: 'LABEL',
  exampleKey: 'alice-laptop',
  heading: ['LABEL', 'SERVER', 'POLICY', 'EXPIRES', 'FROM', 'TAGS'],
  row: (g) => [
    g.label,
    opensOf(g),
    policiesOf(g, '(none: denied)'),
    g.expires ?? 'never',
    g.source,
    tagsOf(g),
  ],
  fields: (g) => [
    ['label', g.label],
    ['id', g.id],
    ['from', g.source === 'file' ? 'the configuration file' : 'the admin API'],
    g.server === null ? ['stack', g.stack ?? ''] : ['server', g.server],
    ['policy', policiesOf(g, 'none: everything is denied')],
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
  usage:
    'LABEL (--server NAME | --stack NAME) [--policy [SERVER=]NAME]… [--tag K=V]… [--expires WHEN] [--url URL]',
  about:
    'Makes a grant and prints its token on stdout. The token is shown this once: only its digest is kept.',
  flags: {
    server: { type: 'string', value: 'NAME', about: 'the one server that it opens' },
    stack: { type: 'string', value: 'NAME', about: 'the stack that it opens instead' },
    policy: {
      type: 'string',
      multiple: true,
      value: '[SERVER=]NAME',
      about: 'without one, everything is denied; in a stack also server by server',
    },
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
    const stack = words.text('stack')
    if ((server === undefined) === (stack === undefined))
      throw new UsageError('`grant add` needs `--server NAME` or `--stack NAME`')
    const until = words.text('expires')
    const tags = Object.fromEntries(words.texts('tag').map(tagPair))
    const body = {
      label: words.positionals[0],
      server,
      stack,
      ...policiesIn(words.texts('policy')),
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
        made.policy === null && Object.keys(made.policies).length === 0
          ? 'without a policy: everything is denied'
          : `under policy ${policiesOf(made, '')}`
      const opens = made.server === null ? `stack ${made.stack}` : `server ${made.server}`
      io.stderr.write(
        `grant ${made.label} opens ${opens} ${what}, ${made.expires === null ? 'without end' : `until ${made.expires}`}. The token is not shown again.\n`,
      )
    }
    return 0
  },
}

/** `NAME` is the policy for all, `SERVER=NAME` the one for a server of the stack. */
function policiesIn(texts: readonly string[]): {
  policy?: string
  policies?: Record<string, string>
} {
  const [policy, second] = texts.filter((text) => !text.includes('='))
  if (second !== undefined)
    throw new UsageError('one `--policy NAME`; others are written `--policy SERVER=NAME`')
  const own = texts.filter((text) => text.includes('=')).map((text) => splitAt(text, '='))
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(own.length === 0 ? {} : { policies: Object.fromEntries(own) }),
  }
}

const splitAt = (text: string, sign: string): [string, string] => {
  const at = text.indexOf(sign)
  return [text.slice(0, at), text.slice(at + sign.length)]
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
