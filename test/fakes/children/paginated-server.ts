/**
 * A server on the official SDK whose lists come in pages of three, over stdio (`stdio`) or HTTP (`http`,
 * which says its URL on stdout). It has no stream of its own and tells of no changes.
 */
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

const PAGE = 3
const names = (what: string): readonly string[] =>
  Array.from({ length: 12 }, (_, i) => `${what}-${String(i).padStart(2, '0')}`)

/** One page; the cursor of the second one is the empty string. */
function page<T>(
  all: readonly T[],
  cursor: string | undefined,
): { items: T[]; nextCursor?: string } {
  const from = cursor === undefined ? 0 : cursor === '' ? PAGE : Number(cursor)
  const next = from + PAGE
  return {
    items: all.slice(from, next),
    ...(next < all.length ? { nextCursor: next === PAGE ? '' : String(next) } : {}),
  }
}

function create(): Server {
  const server = new Server(
    { name: 'paginated', version: '1' },
    { capabilities: { tools: {}, prompts: {}, resources: {} } },
  )
  server.setRequestHandler('tools/list', ({ params }) => {
    const { items, ...next } = page(names('tool'), params?.cursor)
    const tools = items.map((name) => ({
      name,
      title: name.toUpperCase(),
      inputSchema: { type: 'object' as const },
      outputSchema: { type: 'object' as const, properties: { n: { type: 'number' } } },
      icons: [{ src: 'https://example.com/i.png', sizes: ['48x48'] }],
      _meta: { ui: { resourceUri: `ui://${name}` } },
    }))
    return { tools, ...next }
  })
  server.setRequestHandler('tools/call', ({ params }) => ({
    content: [{ type: 'text', text: params.name }],
  }))
  server.setRequestHandler('prompts/list', ({ params }) => {
    const { items, ...next } = page(names('prompt'), params?.cursor)
    return { prompts: items.map((name) => ({ name })), ...next }
  })
  server.setRequestHandler('resources/list', ({ params }) => {
    const { items, ...next } = page(names('resource'), params?.cursor)
    return { resources: items.map((name) => ({ name, uri: `file:///${name}` })), ...next }
  })
  server.setRequestHandler('resources/templates/list', ({ params }) => {
    const { items, ...next } = page(names('template'), params?.cursor)
    const uri = (name: string) => `file:///${name}/{id}`
    return {
      resourceTemplates: items.map((name) => ({ name, uriTemplate: uri(name) })),
      ...next,
    }
  })
  return server
}

if (process.argv[2] === 'stdio') serveStdio(create)
else {
  const { fetch } = createMcpHandler(create)
  const server = serve({ fetch: (request) => fetch(request), port: 0, hostname: '127.0.0.1' })
  server.once('listening', () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`listening on http://127.0.0.1:${port}/mcp\n`)
  })
}
