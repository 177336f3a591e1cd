import type { JsonObject } from '../../src/core/json/json.ts'
import type { Frame } from '../../src/core/mcp/frame-model.ts'

/** The frame of a message written as JSON text. The text must be a valid one. */
export function frameOf(text: string): Frame {
  const { id, method, params = {}, result, error } = JSON.parse(text)
  if (method === undefined) return { kind: 'response', id, result, error, text }
  return id === undefined
    ? { kind: 'notification', method, params, text }
    : { kind: 'request', id, method, params, text }
}

/** A request as text. */
export const requestText = (id: string | number, method: string, params: JsonObject = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })

/** A tools/call as text. */
export const callText = (
  id: string | number,
  name: string,
  args: JsonObject = {},
  meta?: JsonObject,
): string =>
  requestText(id, 'tools/call', {
    name,
    arguments: args,
    ...(meta === undefined ? {} : { _meta: meta }),
  })
