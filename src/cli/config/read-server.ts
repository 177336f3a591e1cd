import { resolve } from 'node:path'
import {
  wrongHeaderName,
  wrongHeaderValue,
  wrongMethod,
  wrongUpstreamUrl,
  wrongVariableName,
} from '../../core/contract/rules.ts'
import {
  ERA_PINS,
  HTTP_TRANSPORTS,
  type ServerEntry,
  type ServerTarget,
} from '../../core/snapshot.ts'
import {
  type Fields,
  readChoice,
  readEntries,
  readFields,
  readFilled,
  readText,
  readTexts,
} from './fields.ts'
import { fileId } from './secret.ts'
import type { Report, Value } from './tree.ts'

const ofUrl = ['headers', 'transport'] as const
const known = ['url', ...ofUrl, 'command', 'args', 'env', 'cwd', 'instances', 'era', 'methods']
const ofCommand = ['args', 'env', 'cwd', 'instances'] as const

/** Reads one member of `servers`. */
export function readServer(
  report: Report,
  name: string,
  value: Value,
  directory: string,
): ServerEntry | undefined {
  const fields = readFields(report, value, known, 'a server, as `{ url: … }` or `{ command: … }`')
  if (fields === undefined) return undefined
  const methods = readTexts(report, fields.get('methods'), 'a list of method names')
  for (const method of methods) {
    const wrong = wrongMethod(method)
    if (wrong !== undefined) report(fields.get('methods') ?? value, wrong)
  }
  const era = readChoice(report, fields.get('era'), ERA_PINS) ?? 'auto'
  const target = readTarget(report, fields, directory)
  if (target === undefined) return undefined
  return { id: fileId('server', name), name, target, era, methods, source: 'file' }
}

function readTarget(report: Report, fields: Fields, directory: string): ServerTarget | undefined {
  const hasUrl = fields.get('url') !== undefined
  const hasCommand = fields.get('command') !== undefined
  if (hasUrl && hasCommand) {
    report(fields.keyOf('command'), 'a server has a `url` or a `command`, not both')
    return undefined
  }
  if (!hasUrl && !hasCommand) {
    report(fields.at, 'a server needs a `url` or a `command`')
    return undefined
  }
  return hasUrl ? readHttp(report, fields) : readProcess(report, fields, directory)
}

function readHttp(report: Report, fields: Fields): ServerTarget | undefined {
  for (const key of ofCommand)
    if (fields.get(key) !== undefined)
      report(fields.keyOf(key), `\`${key}\` belongs to a server with a \`command\``)
  const headers = readHeaders(report, fields.get('headers'))
  const transport = readChoice(report, fields.get('transport'), HTTP_TRANSPORTS) ?? 'auto'
  const value = fields.get('url')
  const url = readFilled(report, value, 'a URL')
  if (url === undefined || value === undefined) return undefined
  const wrong = wrongUpstreamUrl(url, (text) => URL.parse(text) ?? undefined)
  if (wrong !== undefined) {
    report(value, wrong)
    return undefined
  }
  return { kind: 'http', url, headers, transport }
}

function readHeaders(report: Report, value: Value | undefined): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  const seen = new Set<string>()
  for (const entry of readEntries(report, value, 'headers, as `{ Authorization: "Bearer …" }`')) {
    const at = { pointer: entry.value.pointer, offset: entry.offset }
    const text = readText(report, entry.value, 'a header value')
    const wrongName = wrongHeaderName(entry.key)
    if (wrongName !== undefined) report(at, `header \`${entry.key}\`: ${wrongName}`)
    else if (seen.has(entry.key.toLowerCase()))
      report(at, `header \`${entry.key}\` stands here twice; header names know no case`)
    seen.add(entry.key.toLowerCase())
    if (text === undefined) continue
    const wrong = wrongHeaderValue(text)
    if (wrong !== undefined) report(entry.value, `header \`${entry.key}\`: ${wrong}`)
    headers[entry.key] = text
  }
  return headers
}

function readProcess(report: Report, fields: Fields, directory: string): ServerTarget | undefined {
  for (const key of ofUrl)
    if (fields.get(key) !== undefined)
      report(fields.keyOf(key), `\`${key}\` belongs to a server with a \`url\``)
  const command = readFilled(report, fields.get('command'), 'a command')
  const args = readTexts(report, fields.get('args'), 'a list of arguments')
  const env: Record<string, string> = Object.create(null)
  for (const entry of readEntries(report, fields.get('env'), 'variables, as `{ NAME: value }`')) {
    const wrong = wrongVariableName(entry.key)
    if (wrong !== undefined) report({ pointer: entry.value.pointer, offset: entry.offset }, wrong)
    const text = readText(report, entry.value, 'a string')
    if (text !== undefined) env[entry.key] = text
  }
  const cwd = readFilled(report, fields.get('cwd'), 'a folder')
  const instances = readChoice(report, fields.get('instances'), ['session', 'shared'])
  if (command === undefined) return undefined
  return {
    kind: 'stdio',
    command,
    args,
    env,
    cwd: cwd === undefined ? undefined : resolve(directory, cwd),
    instances: instances ?? 'session',
  }
}
