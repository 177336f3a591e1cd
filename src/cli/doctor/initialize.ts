import { isObject } from '../../core/json/json.ts'

/** The request that opens a session with a server, to see whether it speaks MCP. */
export const initialize = (version: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'sallyport-doctor', version },
    },
  })

/** The same question to a server of the stateless era. */
export const discover = (version: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'server/discover',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'sallyport-doctor', version },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  })

/** What a server said of itself. */
export interface Hello {
  readonly name: string
  readonly protocol: string
}

/** Reads an answer to `initialize` or `server/discover`; undefined when it is neither. */
export function helloOf(text: string): Hello | 'error' | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || value.jsonrpc !== '2.0' || value.id !== 1) return undefined
  if (isObject(value.error)) return 'error'
  const { result } = value
  if (!isObject(result)) return undefined
  const meta = isObject(result._meta) ? result._meta : {}
  const info = result.serverInfo ?? meta['io.modelcontextprotocol/serverInfo']
  const name = isObject(info) ? `${info.name ?? 'unnamed'} ${info.version ?? ''}`.trim() : 'unnamed'
  const supported = Array.isArray(result.supportedVersions)
    ? result.supportedVersions[0]
    : undefined
  const protocol = result.protocolVersion ?? supported
  return typeof protocol === 'string' ? { name: name.slice(0, 128), protocol } : undefined
}
