import { parseDate, wrongToken } from '../../core/contract/rules.ts'
import type { Json, JsonObject } from '../../core/json/json.ts'
import { didYouMean } from '../nearest.ts'
import type { FileGrant } from './config-model.ts'
import { readFields, readFilled, readText } from './fields.ts'
import { digestOf } from './secret.ts'
import type { Report, Value } from './tree.ts'

const known = ['server', 'policy', 'token', 'tags', 'expires', 'notBefore']

/** What a grant may refer to. */
export interface Referable {
  readonly servers: ReadonlySet<string>
  readonly policies: ReadonlySet<string>
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
  const named = (key: 'server' | 'policy', list: ReadonlySet<string>): string | undefined => {
    const at = fields.get(key)
    const name = readFilled(report, at, `the name of a ${key}`)
    if (name === undefined || at === undefined || list.has(name)) return name
    const said = at.kind === 'text' && at.isExpanded ? 'of the environment' : `\`${name}\``
    const keys = `${key === 'server' ? 'servers' : 'policies'}`
    report(at, `no ${key} ${said} under \`${keys}\``, didYouMean(name, list))
    return undefined
  }
  const server = named('server', names.servers)
  const policy = named('policy', names.policies)
  if (fields.get('server') === undefined)
    report(value, 'a grant needs a `server`: the one that it opens')
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
  if (server === undefined || tokenDigest === undefined) return undefined
  return { label, server, policy, tokenDigest, tags, notBefore, expiresAt }
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
