/**
 * A server on the official SDK 2 with everything the conformance suite asks for.
 *
 *   node test/fakes/reference-server/main.ts --port N [--eras both|legacy|modern]   over HTTP
 *   node test/fakes/reference-server/main.ts --stdio  [--eras both|legacy|modern]   over stdio
 *
 * Over HTTP it says its URL on stdout; port 0 is any free one.
 */
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
} from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { Audience } from './audience.ts'
import { referenceServers } from './reference-server.ts'
import { sessionsOf } from './sessions.ts'

type Eras = 'both' | 'legacy' | 'modern'

async function overStdio(eras: Eras): Promise<void> {
  const audience = new Audience()
  const create = referenceServers(audience)
  const alone = (isSubscribing: boolean) => {
    const { server, subscribed } = create()
    audience.join({ server, subscribed: isSubscribing ? subscribed : undefined })
    return server
  }
  if (eras === 'legacy') await alone(true).connect(new StdioServerTransport())
  else {
    serveStdio(({ era }) => alone(era === 'legacy'), {
      legacy: eras === 'modern' ? 'reject' : 'serve',
    })
  }
}

function overHttp(eras: Eras, port: number): void {
  const audience = new Audience()
  const create = referenceServers(audience)
  const modern = createMcpHandler(() => create().server, { legacy: 'reject' })
  audience.carryTo(modern.notify)
  const legacy = sessionsOf(create, audience)
  const answer = async (request: Request): Promise<Response> => {
    const refused = hostHeaderValidationResponse(request, localhostAllowedHostnames())
    if (refused !== undefined) return refused
    if (new URL(request.url).pathname !== '/mcp') return new Response(null, { status: 404 })
    if (eras === 'legacy') return legacy(request)
    if (eras === 'both' && (await isLegacyRequest(request))) return legacy(request)
    return modern.fetch(request)
  }
  const server = serve({ fetch: answer, port, hostname: '127.0.0.1' })
  server.once('listening', () => {
    const { port: chosen } = server.address() as AddressInfo
    process.stdout.write(`listening on http://127.0.0.1:${chosen}/mcp\n`)
  })
}

const { values } = parseArgs({
  options: {
    eras: { type: 'string', default: 'both' },
    port: { type: 'string', default: '0' },
    stdio: { type: 'boolean', default: false },
  },
})
const eras = (['both', 'legacy', 'modern'] as const).find((one) => one === values.eras)
if (eras === undefined) throw new Error('--eras is both, legacy or modern')
if (values.stdio) await overStdio(eras)
else overHttp(eras, Number(values.port))
