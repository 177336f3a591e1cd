import type { ServerTarget } from '../../core/snapshot.ts'

/** Names under which people keep what nobody else may know. */
const SECRET_NAME = /auth|cookie|cred|key|pass|private|secret|session|sign|token/i
/** Values that are made by chance: long, of letters and digits. */
const RANDOM = /^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-.~+/=]{20,}$/
const SCHEME = /^(?:basic|bearer|token|apikey|api-key|digest)\s+/i

/** What of a value is secret: all of it, and what stands behind a scheme or inside of Basic. */
function partsOf(value: string): readonly string[] {
  const bare = value.replace(SCHEME, '')
  if (!/^basic\s/i.test(value)) return [value, bare]
  const pair = Buffer.from(bare, 'base64').toString('utf8')
  return [value, bare, pair, pair.slice(pair.indexOf(':') + 1)]
}

const named = (entries: Iterable<readonly [string, string]>): readonly string[] =>
  [...entries].flatMap(([name, value]) =>
    SECRET_NAME.test(name) || RANDOM.test(value.replace(SCHEME, '')) ? partsOf(value) : [],
  )

/** What the gateway knows for a server and its clients may not: by its name, or by its looks. */
export function credentialsOf(target: ServerTarget): readonly string[] {
  if (target.kind === 'stdio')
    return [
      ...named(Object.entries(target.env)),
      ...target.args
        .filter((arg) => RANDOM.test(arg.replace(/^--?[\w-]+=/, '')))
        .map((arg) => arg.replace(/^--?[\w-]+=/, '')),
    ]
  const { searchParams, password } = new URL(target.url)
  return [
    ...named(Object.entries(target.headers)),
    ...named(searchParams),
    decodeURIComponent(password),
  ]
}
