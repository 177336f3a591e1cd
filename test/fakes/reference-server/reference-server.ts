import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server'
import { addAskingTools } from './asking-tools.ts'
import type { Audience } from './audience.ts'
import { addContentTools } from './content-tools.ts'
import { addPrompts } from './prompts.ts'
import { addResources } from './resources.ts'
import { addRoundTools, type RoundState } from './round-tools.ts'
import { addStreamTools } from './stream-tools.ts'

/** A server and what its client has subscribed to. */
export interface Reference {
  readonly server: McpServer
  readonly subscribed: ReadonlySet<string>
}

/** Gives a maker of servers: one for each connection, or for each stateless request. */
export function referenceServers(audience: Audience): () => Reference {
  // One key for all: the rounds of a call may be answered by different servers.
  const codec = createRequestStateCodec<RoundState>({
    key: crypto.getRandomValues(new Uint8Array(32)),
  })
  return () => {
    const server = new McpServer(
      { name: 'reference', version: '1.0.0' },
      {
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          prompts: { listChanged: true },
          logging: {},
          completions: {},
        },
        requestState: { verify: codec.verify },
      },
    )
    addContentTools(server)
    addStreamTools(server, audience)
    addAskingTools(server)
    addRoundTools(server, codec)
    addResources(server)
    addPrompts(server)

    const subscribed = new Set<string>()
    server.server.setRequestHandler('resources/subscribe', ({ params }) => {
      subscribed.add(params.uri)
      return {}
    })
    server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      subscribed.delete(params.uri)
      return {}
    })
    server.server.setRequestHandler('logging/setLevel', () => ({}))
    server.server.setRequestHandler('completion/complete', () => ({
      completion: { values: [], total: 0, hasMore: false },
    }))
    return { server, subscribed }
  }
}
