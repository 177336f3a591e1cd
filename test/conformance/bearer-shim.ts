import { createServer, request as open, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a path leads, and the credential that opens it. */
export interface ShimRoute {
  readonly token: string
  /** The path at the gateway, where it is another. */
  readonly path?: string
}

/**
 * Puts a credential before the gateway, which the suite can't send: every request goes on as it came,
 * with one header more. `Host` is changed only where it names the shim.
 */
export async function startBearerShim(
  gateway: string,
  routes: ReadonlyMap<string, ShimRoute>,
  listenPort = 0,
): Promise<{ url: string; close: () => Promise<void> }> {
  const { hostname, port, host } = new URL(gateway)
  const server = createServer((request, response) => {
    const raw = withHost(request.rawHeaders, addressOf(server), host)
    const route = routes.get(request.url ?? '')
    if (route !== undefined) raw.push('Authorization', `Bearer ${route.token}`)
    const up = open({
      host: hostname,
      port,
      method: request.method,
      path: route?.path ?? request.url,
      headers: raw,
      setHost: false,
    })
    up.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
      response.flushHeaders()
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    up.once('error', () => response.destroy())
    response.once('close', () => up.destroy())
    request.pipe(up)
  })
  await new Promise<void>((resolve) => server.listen(listenPort, '127.0.0.1', resolve))
  return {
    url: `http://${addressOf(server)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`

function withHost(headers: readonly string[], own: string, host: string): string[] {
  const port = own.slice(own.indexOf(':'))
  const mine = new Set([own, `localhost${port}`])
  return headers.map((text, i) =>
    i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'host' && mine.has(text) ? host : text,
  )
}
