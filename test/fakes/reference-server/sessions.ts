import { randomUUID } from 'node:crypto'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import type { Audience } from './audience.ts'
import { EventLog } from './event-log.ts'
import type { Reference } from './reference-server.ts'

const refused = (status: number, message: string): Response =>
  Response.json({ jsonrpc: '2.0', error: { code: -32600, message } }, { status })

/** Serves the era of sessions over HTTP: one server for each `initialize`. */
export function sessionsOf(create: () => Reference, audience: Audience) {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()

  async function open(request: Request): Promise<Response> {
    const { server, subscribed } = create()
    const listener = { server, subscribed }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new EventLog(),
      retryInterval: 500,
      onsessioninitialized: (id) => {
        sessions.set(id, transport)
        audience.join(listener)
      },
    })
    transport.onclose = () => {
      audience.leave(listener)
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId)
    }
    await server.connect(transport)
    return transport.handleRequest(request)
  }

  return async (request: Request): Promise<Response> => {
    const id = request.headers.get('mcp-session-id')
    if (id !== null) {
      const session = sessions.get(id)
      return session?.handleRequest(request) ?? refused(404, 'there is no such session')
    }
    if (request.method !== 'POST') return refused(400, 'which session?')
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined)
    const { method } = (body ?? {}) as { method?: unknown }
    // What is not even JSON is the transport's to refuse.
    if (method === 'initialize' || body === undefined) return open(request)
    return refused(400, 'which session?')
  }
}
