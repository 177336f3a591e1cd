import { isUtf8 } from 'node:buffer'
import { isObject, type Json, type JsonObject, member } from '../../core/json/json.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { scan } from '../../core/mcp/scan.ts'

/** What a small answer tells that is there in one piece. */
export interface WholeAnswer {
  /** `resultType` of its result; undefined where it has none. */
  readonly resultType: string | undefined
}

const RESULT = new Set(['jsonrpc', 'id', 'result'])

/**
 * Reads the usual answer, a result to the request of this id, at a third of what reading it byte by
 * byte costs; undefined for everything that is not plainly one, which is then read in full.
 */
export function readWhole(bytes: Uint8Array, id: FrameId | undefined): WholeAnswer | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const scanned = scan(text)
  if (scanned.isTooDeep || scanned.hasEscapedKey) return undefined
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const result = member(value, 'result')
  if (!isObject(result) || member(value, 'jsonrpc') !== '2.0') return undefined
  if (id === undefined || member(value, 'id') !== id) return undefined
  for (const key of Object.keys(value)) if (!RESULT.has(key)) return undefined
  // Fewer members than were written: one of them is repeated.
  if (membersIn(value) !== scanned.members) return undefined
  const resultType = member(result, 'resultType')
  if (resultType !== undefined && typeof resultType !== 'string') return undefined
  return { resultType }
}

function membersIn(value: JsonObject | readonly Json[]): number {
  if (Array.isArray(value)) {
    let count = 0
    for (const item of value)
      if (typeof item === 'object' && item !== null) count += membersIn(item)
    return count
  }
  const object = value as JsonObject
  const keys = Object.keys(object)
  let count = keys.length
  for (let i = 0; i < keys.length; i++) {
    const item = object[keys[i] as string] as Json
    if (typeof item === 'object' && item !== null) count += membersIn(item as JsonObject)
  }
  return count
}
