import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../core/errors.ts'
import type { MirrorHeaders } from '../mirror.ts'

/** The headers of a request that the gateway reads, each present at most once. */
export interface HttpHead {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly accept: string | undefined
  readonly protocolVersion: string | undefined
  readonly sessionId: string | undefined
  readonly mirrors: MirrorHeaders
  /** What may pass to an HTTP upstream: name, value, … in lower case. */
  readonly passing: readonly string[]
}

/** Headers whose repetition two parsers could read differently. */
const SINGLE = new Set([
  'host',
  'origin',
  'authorization',
  'content-type',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'accept',
])
const PASSING = new Set(['accept', 'traceparent', 'tracestate', 'last-event-id'])
const NO_PARAMS: ReadonlyMap<string, string> = new Map()
const MAX_PARAMS = 64

/**
 * Reads the head of a request.
 * @throws GatewayError `request_refused` or `header_mismatch` on what could be read in two ways.
 */
export function readHead(request: IncomingMessage): HttpHead {
  if (request.httpVersion !== '1.1') throw refused('HTTP/1.1 is required')
  const raw = request.rawHeaders
  const one: Record<string, string> = Object.create(null)
  const passing: string[] = []
  let params: Map<string, string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    const value = raw[i + 1] as string
    const isMcp = name.startsWith('mcp-')
    if (!isMcp && !SINGLE.has(name) && !PASSING.has(name)) continue
    if (one[name] !== undefined)
      throw isMcp
        ? new GatewayError('header_mismatch', `${name} is repeated`)
        : refused(`${name} is repeated`)
    one[name] = value
    if (name.startsWith('mcp-param-')) {
      params ??= new Map()
      if (params.size >= MAX_PARAMS) throw refused('too many Mcp-Param headers')
      params.set(name, value)
      passing.push(name, value)
    } else if (PASSING.has(name)) passing.push(name, value)
  }
  if (one.host === undefined) throw refused('Host is missing')
  return {
    host: one.host,
    origin: one.origin,
    authorization: one.authorization,
    contentType: one['content-type'],
    contentEncoding: one['content-encoding'],
    accept: one.accept,
    protocolVersion: one['mcp-protocol-version'],
    sessionId: one['mcp-session-id'],
    mirrors: { method: one['mcp-method'], name: one['mcp-name'], params: params ?? NO_PARAMS },
    passing,
  }
}

const refused = (detail: string): GatewayError => new GatewayError('request_refused', detail)

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

/**
 * Refuses a body that is not plain UTF-8 JSON.
 * @throws GatewayError `media_type_unsupported`.
 */
export function requireJson(head: HttpHead): void {
  if (head.contentEncoding !== undefined && head.contentEncoding.toLowerCase() !== 'identity')
    throw new GatewayError('media_type_unsupported', 'encoded bodies are not read')
  if (head.contentType === undefined || !JSON_TYPE.test(head.contentType))
    throw new GatewayError('media_type_unsupported')
}

/** True when the client takes an event stream as the answer. */
export const takesEvents = (head: HttpHead): boolean =>
  head.accept === undefined || /text\/event-stream|\*\/\*/i.test(head.accept)
