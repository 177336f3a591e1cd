import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Message } from './mcp-http.ts'

/** What an upstream got. */
export interface Received {
  readonly message: Message
  readonly headers: IncomingMessage['headers']
  /** Has the gateway gone away before the answer was complete? */
  wasAborted: boolean
}

type Respond = (received: Received, response: ServerResponse) => void

/** An HTTP MCP server that keeps what it gets, and answers calls as it is told. */
export interface RecordingUpstream {
  readonly url: string
  readonly origin: string
  /** Every message, in the order of arrival. */
  readonly received: readonly Received[]
  /** The calls of a tool, or of all tools. */
  calls(tool?: string): readonly Received[]
  /** Decides how `tools/call` is answered from now on. */
  answer(respond: Respond): void
  /** Leaves every `tools/list` from now on without an answer. */
  withholdList(): void
  /** Decides how GET, the stream that belongs to no request, is answered; it is refused until then. */
  listen(respond: (response: ServerResponse) => void): void
  close(): Promise<void>
}

/** Answers with a JSON-RPC result. */
export const result = (response: ServerResponse, id: Message['id'], value: unknown): void => {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: value }))
}

/** The answer of a stateless server to a method that it does not have. */
const unknown = (response: ServerResponse, id: Message['id']): void => {
  response.writeHead(404, { 'Content-Type': 'application/json' })
  const error = { code: -32601, message: 'Method not found' }
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
}

/** The answer to a call that went well. */
export const said = (text: string) => ({ content: [{ type: 'text', text }] })

const well: Respond = ({ message }, response) => result(response, message.id, said('done'))

/** Opens one on a free port, with tools of the given names. */
export async function openRecordingUpstream(
  tools: readonly string[] = ['take', 'peek'],
  port = 0,
): Promise<RecordingUpstream> {
  const received: Received[] = []
  let respond = well
  let hasList = true
  let listen = (response: ServerResponse): void => void response.writeHead(405).end()

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET') return listen(response)
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const message = JSON.parse(Buffer.concat(chunks).toString()) as Message
    const one: Received = { message, headers: request.headers, wasAborted: false }
    response.once('close', () => {
      one.wasAborted = !response.writableFinished
    })
    received.push(one)
    if (message.id === undefined) response.writeHead(202).end()
    else if (message.method === 'tools/call') respond(one, response)
    else if (message.method === 'subscriptions/listen') unknown(response, message.id)
    else if (hasList || message.method !== 'tools/list')
      result(response, message.id, resultOf(message, tools))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/mcp`,
    received,
    calls: (tool) =>
      received.filter(
        ({ message }) =>
          message.method === 'tools/call' && (tool === undefined || message.params?.name === tool),
      ),
    answer(next) {
      respond = next
    },
    withholdList() {
      hasList = false
    },
    listen(next) {
      listen = next
    },
    async close() {
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

function resultOf({ method, params }: Message, tools: readonly string[]): object {
  const capabilities = { tools: {} }
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion,
        capabilities,
        serverInfo: { name: 'recording', version: '1' },
      }
    case 'server/discover':
      return {
        supportedVersions: ['2026-07-28'],
        capabilities,
        serverInfo: { name: 'recording', version: '1' },
      }
    case 'tools/list':
      return {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
      }
    default:
      return {}
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
