import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import { rewriteObject, skimObject, textOf } from '../../upstream/skim.ts'
import type { ToolTable } from './tool-table.ts'

/** What the stateless era writes into every result, and no session knows. */
const STAMPS = new Set(['resultType', 'ttlMs', 'cacheScope'])
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'

/** Which request an answer belongs to. */
export interface Asked {
  readonly method: string
  /** The tool of a `tools/call`. */
  readonly tool: string | undefined
  /** The client's own id, exactly as written. */
  readonly idText: string
}

/** An answer of the stateless era in the words of a session. */
export function plainAnswer(text: string, asked: Asked, tools: ToolTable): string {
  // An error to a request that could not be read has no id; here it is known whose it is.
  return rewriteObject(
    text,
    0,
    (m) => {
      if (m.key === 'id') return undefined
      return m.key === 'result' ? plainResult(text, m.start, asked, tools) : textOf(text, m)
    },
    [`"id":${asked.idText}`],
  )
}

function plainResult(text: string, from: number, asked: Asked, tools: ToolTable): string {
  return rewriteObject(text, from, (m) => {
    const value = textOf(text, m)
    if (STAMPS.has(m.key)) return undefined
    if (m.key === '_meta') return plainMeta(text, m.start, value)
    if (asked.method === 'tools/call' && m.key === 'structuredContent')
      return value.startsWith('{') && !tools.isWrapped(asked.tool) ? value : `{"result":${value}}`
    return asked.method === 'tools/list' && m.key === 'tools' ? tools.plainList(value) : value
  })
}

/** `_meta` without the server's name, which a session was told once; undefined when that was all. */
function plainMeta(text: string, from: number, value: string): string | undefined {
  const members = skimObject(text, from)
  if (!members.has(SERVER_INFO)) return value
  if (members.size === 1) return undefined
  return rewriteObject(text, from, (m) => (m.key === SERVER_INFO ? undefined : textOf(text, m)))
}

/** What is said of a JSON-RPC error that only the stateless era has. */
export interface PlainError {
  readonly code: number
  readonly message: string
}

/** Errors that no session knows, told in its own codes; undefined for those that both eras have. */
export function plainError(error: JsonObject): PlainError | undefined {
  const code = member(error, 'code')
  if (code === HEADER_MISMATCH)
    return { code: -32603, message: 'the server refused the headers of this request' }
  if (code === CAPABILITY_MISSING)
    return {
      code: -32603,
      message: `the server needs what this client has not declared: ${needed(error)}`,
    }
  if (code === VERSION_REFUSED)
    return { code: -32603, message: 'the server no longer speaks the revision that was agreed' }
  return undefined
}

/** Codes that 2026-07-28 brought. */
export const HEADER_MISMATCH = -32020
export const CAPABILITY_MISSING = -32021
export const VERSION_REFUSED = -32022

/** The names of the capabilities that an error asks for, bounded. */
function needed(error: JsonObject): string {
  const data: Json | undefined = member(error, 'data')
  const required = isObject(data) ? member(data, 'requiredCapabilities') : undefined
  const names = isObject(required) ? Object.keys(required) : []
  return names.length === 0 ? 'a capability' : names.slice(0, 8).join(', ').slice(0, 200)
}
