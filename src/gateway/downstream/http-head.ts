import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../core/errors.ts'
import type { MirrorHeaders } from '../mirror.ts'

/** The headers of a request that the gateway reads, each present at most once. */
export interface HttpHead {
  readonly host: string
  readonly origin: string | undefined
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly accept: string | undefined
  readonly protocolVersion: string | undefined
  readonly sessionId: string | undefined
  readonly lastEventId: string | undefined
  readonly mirrors: MirrorHeaders
  /** What may pass to an HTTP upstream: name, value, … in lower case. */
  readonly passing: readonly string[]
}

/** What the gateway does with a header of this lower-case name. */
interface Slot {
  readonly name: string
  /** Place among the headers that are read, -1 for an `Mcp-Param-*`. */
  readonly at: number
  readonly isPassing: boolean
}

/** Read headers: repeated, two parsers could take a different one. */
const NAMES = [
  'host',
  'origin',
  'authorization',
  'content-type',
  'content-encoding',
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'content-length',
  'transfer-encoding',
  'traceparent',
  'tracestate',
  'last-event-id',
] as const
const PASSING: ReadonlySet<string> = new Set(['accept', 'traceparent', 'tracestate'])
const SLOTS = new Map<string, Slot>(
  NAMES.map((name, at) => [name, { name, at, isPassing: PASSING.has(name) }]),
)
const NO_PARAMS: ReadonlyMap<string, string> = new Map()
const MAX_PARAMS = 64
const MAX_SPELLINGS = 256

/** Slots by the spelling that clients use, so that a name is lower-cased once. */
const spelled = new Map<string, Slot | undefined>()

function slotOf(spelling: string): Slot | undefined {
  if (spelled.has(spelling)) return spelled.get(spelling)
  const name = spelling.toLowerCase()
  const slot =
    SLOTS.get(name) ??
    (name.startsWith('mcp-param-') ? { name, at: -1, isPassing: true } : undefined)
  if (spelled.size < MAX_SPELLINGS) spelled.set(spelling, slot)
  return slot
}

/**
 * Reads the head of a request.
 * @throws GatewayError `request_refused` or `header_mismatch` on what could be read in two ways.
 */
export function readHead(request: IncomingMessage): HttpHead {
  if (request.httpVersion !== '1.1') throw refused('HTTP/1.1 is required')
  const raw = request.rawHeaders
  const read: (string | undefined)[] = new Array(NAMES.length)
  const passing: string[] = []
  let params: Map<string, string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const slot = slotOf(raw[i] as string)
    if (slot === undefined) continue
    const value = raw[i + 1] as string
    if (slot.at === -1) {
      params ??= new Map()
      if (params.has(slot.name)) throw repeated(slot.name)
      if (params.size >= MAX_PARAMS) throw refused('too many Mcp-Param headers')
      params.set(slot.name, value)
    } else {
      if (read[slot.at] !== undefined) throw repeated(slot.name)
      read[slot.at] = value
    }
    if (slot.isPassing) passing.push(slot.name, value)
  }
  const [host, origin, authorization, contentType, contentEncoding, accept] = read
  if (host === undefined) throw refused('Host is missing')
  return {
    host,
    origin,
    authorization,
    contentType,
    contentEncoding,
    accept,
    protocolVersion: read[6],
    sessionId: read[7],
    lastEventId: read[14],
    mirrors: { method: read[8], name: read[9], params: params ?? NO_PARAMS },
    passing,
  }
}

const repeated = (name: string): GatewayError =>
  name.startsWith('mcp-')
    ? new GatewayError('header_mismatch', `${name} is repeated`)
    : refused(`${name} is repeated`)

const refused = (detail: string): GatewayError => new GatewayError('request_refused', detail)

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

/**
 * Refuses a body that is not plain UTF-8 JSON.
 * @throws GatewayError `media_type_unsupported`.
 */
export function requireJson(head: HttpHead): void {
  if (head.contentEncoding !== undefined && head.contentEncoding.toLowerCase() !== 'identity')
    throw new GatewayError('media_type_unsupported', 'encoded bodies are not read')
  if (head.contentType === 'application/json') return
  if (head.contentType === undefined || !JSON_TYPE.test(head.contentType))
    throw new GatewayError('media_type_unsupported')
}

/** True when the client takes an event stream as the answer. */
export const takesEvents = (head: HttpHead): boolean =>
  head.accept === undefined || /text\/event-stream|\*\/\*/i.test(head.accept)
