import { isUtf8 } from 'node:buffer'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import { skimArray } from './skim.ts'

/** One message of a server, read as far as routing needs it. */
export type Incoming = {
  readonly text: string
  readonly bytes: Uint8Array
  readonly params: JsonObject
} & (
  | { readonly kind: 'response'; readonly id: FrameId; readonly isError: boolean }
  | { readonly kind: 'request'; readonly id: FrameId; readonly method: string }
  | { readonly kind: 'notification'; readonly method: string }
)

const nothing: JsonObject = {}
const isId = (value: unknown): value is FrameId =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))

/** Ids as keys: `0`, `"0"` and `""` are three. */
export const idKey = (id: FrameId): string => JSON.stringify(id)

/** An object's member if it is an object, else an empty one. */
export const objectIn = (object: JsonObject, key: string): JsonObject => {
  const value = member(object, key)
  return isObject(value) ? value : nothing
}

/** An object's member if it may be an id or a progress token. */
export const idIn = (object: JsonObject, key: string): FrameId | undefined => {
  const value = member(object, key)
  return isId(value) ? value : undefined
}

/**
 * Reads one line: the message, or the messages of a batch (2025-03-26); undefined when the line is
 * anything else. Values are read with doubles, which routing can do with; the text stays exact.
 */
export function readIncoming(line: Buffer): readonly Incoming[] | undefined {
  if (!isUtf8(line)) return undefined
  const text = line.toString()
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value)) {
    const one = readMessage(value, text, line)
    return one === undefined ? undefined : [one]
  }
  const spans = skimArray(text)
  const all = value.map((item, i) => {
    const part = text.slice(spans[i]?.start, spans[i]?.end)
    return readMessage(item, part, Buffer.from(part))
  })
  return all.every((m) => m !== undefined) ? all : undefined
}

/** Reads the messages of an event or of a body (more than one in 2025-03-26); none when it is no MCP. */
export function readTexts(text: string): readonly Incoming[] {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return []
  }
  if (!Array.isArray(value)) {
    const one = readMessage(value, text, NO_BYTES)
    return one === undefined ? [] : [one]
  }
  const spans = skimArray(text)
  return value.flatMap((item, i) => {
    const part = text.slice(spans[i]?.start, spans[i]?.end)
    return readMessage(item, part, NO_BYTES) ?? []
  })
}

/** What comes as text has no bytes of its own. */
const NO_BYTES = new Uint8Array(0)

function readMessage(value: unknown, raw: string, bytes: Uint8Array): Incoming | undefined {
  if (!isObject(value) || member(value, 'jsonrpc') !== '2.0') return undefined
  // A bare carriage return is white space in JSON but ends a line in an event stream.
  const text = raw.includes('\r') ? raw.replaceAll('\r', ' ') : raw
  const id = member(value, 'id')
  const method = member(value, 'method')
  const params = objectIn(value, 'params')
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'notification', method, params, text, bytes }
    return isId(id) ? { kind: 'request', id, method, params, text, bytes } : undefined
  }
  const isError = Object.hasOwn(value, 'error')
  if (method !== undefined || isError === Object.hasOwn(value, 'result')) return undefined
  return isId(id) ? { kind: 'response', id, isError, params, text, bytes } : undefined
}
