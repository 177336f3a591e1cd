/**
 * An MCP server that does nothing: fixed results of two sizes for stateless clients, a small one for
 * those with sessions, and event streams that stay idle.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const SMALL = 'Refund re_5tR81 of 18.50 EUR is on its way; it takes three to five days.'
const result = (text: string, id: unknown = 1): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: {
        content: [{ type: 'text', text }],
        structuredContent: { refund: 're_5tR81', status: 'pending', amount: 1850, currency: 'eur' },
        isError: false,
      },
    }),
  )
const results = new Map([
  ['/small', result(SMALL)],
  ['/large', result('0123456789abcdef'.repeat(4080))],
])

const initialized = (id: unknown): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'stub', version: '1' },
      },
    }),
  )

const discovered = (id: unknown): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    }),
  )

const answer = (response: ServerResponse, body: Buffer, ...headers: string[]): void => {
  const length = String(body.length)
  response.writeHead(200, [
    ...['Content-Type', 'application/json', 'Content-Length', length],
    ...headers,
  ])
  response.end(body)
}

/** Everything that is no measured call: a session's start, and what the gateway itself asks. */
function answerOther(response: ServerResponse, text: string): void {
  const { id, method } = JSON.parse(text) as { id?: unknown; method?: unknown }
  if (id === undefined) response.writeHead(202, ['Content-Length', '0']).end()
  else if (method === 'initialize')
    answer(response, initialized(id), 'Mcp-Session-Id', 'bench-session')
  else if (method === 'server/discover') answer(response, discovered(id))
  else if (method === 'tools/call') answer(response, result(SMALL, id))
  else {
    const error = { code: -32601, message: 'Method not found' }
    answer(response, Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error })))
  }
}

let streams = 0

/** An event stream that says that it is there, and then nothing. */
function idle(response: ServerResponse): void {
  response.writeHead(200, ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache'])
  response.write(': open\n\n')
  streams++
  response.on('close', () => streams--)
}

const upstream = createServer((request, response) => {
  const { method, url = '', headers } = request
  if (url === '/streams') answer(response, Buffer.from(String(streams)))
  else if (method === 'GET') idle(response)
  else if (method === 'DELETE') response.writeHead(200, ['Content-Length', '0']).end()
  else if (headers['mcp-method'] === 'tools/call') {
    const body = results.get(url)
    request.resume()
    request.on('end', () => (body === undefined ? response.destroy() : answer(response, body)))
  } else {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => answerOther(response, text))
  }
})
upstream.keepAliveTimeout = 120_000
upstream.requestTimeout = 0
upstream.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const { port } = upstream.address() as AddressInfo
  process.stdout.write(`upstream listening on http://127.0.0.1:${port}\n`)
})
