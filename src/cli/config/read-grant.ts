import { parseDate, wrongToken } from '../../core/contract/rules.ts'
import type { GrantedStack } from '../../core/contract/stored.ts'
import type { Json, JsonObject } from '../../core/json/json.ts'
import { didYouMean } from '../nearest.ts'
import type { FileGrant } from './config-model.ts'
import { type Fields, readEntries, readFields, readFilled, readText } from './fields.ts'
import { digestOf } from './secret.ts'
import type { Report, Value } from './tree.ts'

const known = ['server', 'stack', 'policy', 'policies', 'token', 'tags', 'expires', 'notBefore']

/** What a grant may refer to. */
export interface Referable {
  readonly servers: ReadonlySet<string>
  readonly policies: ReadonlySet<string>
  /** The members of each stack; undefined for one that is wrong itself. */
  readonly stacks: ReadonlyMap<string, readonly string[] | undefined>
}

/** Reads one member of `grants`; its token is hashed at once. */
export function readGrant(
  report: Report,
  label: string,
  value: Value,
  names: Referable,
): FileGrant | undefined {
  const fields = readFields(
    report,
    value,
    known,
    'a grant, as `{ server: …, policy: …, token: … }`',
  )
  if (fields === undefined) return undefined
  const server = readNamed(report, fields.get('server'), 'server', names.servers)
  const policy = readNamed(report, fields.get('policy'), 'policy', names.policies)
  const stack = readScope(report, fields, names)
  const hasServer = fields.get('server') !== undefined
  if (hasServer && fields.get('stack') !== undefined)
    report(fields.keyOf('stack'), 'a grant opens a `server` or a `stack`, not both')
  if (!hasServer && fields.get('stack') === undefined)
    report(value, 'a grant needs a `server`, or a `stack`: what it opens')
  const tokenDigest = readToken(report, fields.get('token'))
  if (fields.get('token') === undefined)
    report(
      value,
      'a grant needs a `token`',
      `give it one from the environment: \`token: \${NAME}\``,
    )
  const tags = readTags(report, fields.get('tags'))
  const notBefore = readDate(report, fields.get('notBefore'))
  const expiresAt = readDate(report, fields.get('expires'))
  if (notBefore !== undefined && expiresAt !== undefined && expiresAt <= notBefore)
    report(fields.keyOf('expires'), '`expires` is not after `notBefore`')
  if ((server === undefined && stack === undefined) || tokenDigest === undefined) return undefined
  return { label, server, stack, policy, tokenDigest, tags, notBefore, expiresAt }
}

const listNames = { server: 'servers', stack: 'stacks', policy: 'policies' } as const

/** The name of something that the file defines. */
function readNamed(
  report: Report,
  at: Value | undefined,
  key: keyof typeof listNames,
  list: { has(name: string): boolean; keys(): Iterable<string> },
): string | undefined {
  const name = readFilled(report, at, `the name of a ${key}`)
  if (name === undefined || at === undefined || list.has(name)) return name
  const said = at.kind === 'text' && at.isExpanded ? 'of the environment' : `\`${name}\``
  report(at, `no ${key} ${said} under \`${listNames[key]}\``, didYouMean(name, list.keys()))
  return undefined
}

/** `stack` and `policies` of a grant. */
function readScope(report: Report, fields: Fields, names: Referable): GrantedStack | undefined {
  const name = readNamed(report, fields.get('stack'), 'stack', names.stacks)
  if (fields.get('policies') !== undefined && fields.get('stack') === undefined)
    report(fields.keyOf('policies'), '`policies` belongs to a grant of a `stack`')
  const members = name === undefined ? undefined : names.stacks.get(name)
  const policies: Record<string, string> = Object.create(null)
  const what = 'policies by server, as `{ stripe: refunds }`'
  for (const { key, offset, value } of readEntries(report, fields.get('policies'), what)) {
    const policy = readNamed(report, value, 'policy', names.policies)
    if (members !== undefined && !members.includes(key))
      report(
        { pointer: value.pointer, offset },
        `\`${key}\` is no server of the stack \`${name}\``,
        didYouMean(key, members),
      )
    else if (policy !== undefined) policies[key] = policy
  }
  return name === undefined ? undefined : { name, policies }
}

/** The digest of a token in the file. */
export function readToken(report: Report, value: Value | undefined): string | undefined {
  const token = readText(report, value, 'a token')
  if (token === undefined || value === undefined) return undefined
  const wrong = wrongToken(token)
  if (wrong === undefined) return digestOf(token)
  report(value, wrong)
  return undefined
}

function readDate(report: Report, value: Value | undefined): number | undefined {
  const text = readText(report, value, 'a date')
  if (text === undefined || value === undefined) return undefined
  const at = parseDate(text)
  if (at === undefined)
    report(value, 'expected a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)')
  return at
}

function readTags(report: Report, value: Value | undefined): JsonObject {
  if (value === undefined || value.kind === 'null') return {}
  if (value.kind === 'map') return toJson(report, value) as JsonObject
  report(value, 'expected tags, as `{ team: imaging }`')
  return {}
}

function toJson(report: Report, value: Value): Json {
  switch (value.kind) {
    case 'map': {
      const object: Record<string, Json> = Object.create(null)
      for (const entry of value.entries) object[entry.key] = toJson(report, entry.value)
      return object
    }
    case 'list':
      return value.items.map((item) => toJson(report, item))
    case 'text':
      return value.text
    case 'boolean':
      return value.text === 'true'
    case 'null':
      return null
    case 'number': {
      const number = Number(value.text)
      if (Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)))
        return number
      report(value, 'this number can not be held exactly', 'write it in quotes')
      return null
    }
    default:
      return value satisfies never
  }
}
