/**
 * A `fetch` that answers `server/discover` itself: some of the suite's mock servers have none, though
 * they speak the stateless revision. Everything else is sent.
 */
export const presumeDiscover: typeof fetch = async (input, init) => {
  const message = typeof init?.body === 'string' ? (JSON.parse(init.body) as Asked) : undefined
  if (message?.method !== 'server/discover') return fetch(input, init)
  return Response.json({
    jsonrpc: '2.0',
    id: message.id,
    result: {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, resources: {}, prompts: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'mock', version: '1' } },
    },
  })
}

interface Asked {
  readonly method?: string
  readonly id?: unknown
}
