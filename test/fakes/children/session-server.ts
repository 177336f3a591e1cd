/**
 * A server on the official SDK 1, which knows nothing but sessions: over stdio (`stdio`), HTTP (`http`)
 * or HTTP+SSE (`sse`), which say their URL on stdout. `strict` over stdio ends over anything before
 * `initialize`.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  ErrorCode,
  ListRootsResultSchema,
  McpError,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })
const FORM = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const } },
  required: ['name'],
}
const PAGE = { mode: 'url' as const, url: 'https://pages.example/sign-in', message: 'Sign in' }

/** Calls of `hold` that wait, and how many were cancelled. */
const held = new Set<() => void>()
let cancelled = 0
const signedIn = new Set<string>()

function create(): McpServer {
  const server = new McpServer(
    { name: 'sessions', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } },
  )
  let calls = 0
  const subscribed = new Set<string>()
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscribed.add(params.uri)
    return {}
  })
  server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscribed.delete(params.uri)
    return {}
  })
  server.registerResource('note', 'note://one', {}, ({ href }) => ({
    contents: [{ uri: href, text: 'a note' }],
  }))
  server.registerPrompt('greet', {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }],
  }))

  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => said(text))
  server.registerTool('count', {}, () => said(String(++calls)))
  server.registerTool('forbidden', {}, () => said('this was called'))
  server.registerTool('structured', { outputSchema: { n: z.number() } }, () => ({
    ...said('1'),
    structuredContent: { n: 1 },
  }))
  server.registerTool('client', {}, () =>
    said(
      JSON.stringify({
        info: server.server.getClientVersion(),
        capabilities: server.server.getClientCapabilities(),
      }),
    ),
  )
  server.registerTool('ask', { inputSchema: {} }, async (_, extra) => {
    const { content } = await extra.sendRequest(
      {
        method: 'elicitation/create',
        params: { message: 'Who?', requestedSchema: FORM },
      },
      ElicitResultSchema,
    )
    return said(`hello ${content?.name}`)
  })
  // Many servers ask on the stream that belongs to no request.
  server.registerTool('ask-loosely', {}, async () => {
    const { content } = await server.server.elicitInput({ message: 'Who?', requestedSchema: FORM })
    return said(`hello ${content?.name}`)
  })
  server.registerTool('ask-all', { inputSchema: {} }, async (_, extra) => {
    const params = {
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'a word' } }],
      maxTokens: 5,
    }
    const [{ roots }, { content }] = await Promise.all([
      extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema),
      extra.sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema),
    ])
    return said(`${roots[0]?.uri} ${'text' in content ? content.text : ''}`)
  })
  server.registerTool('sign-in', { inputSchema: { as: z.string() } }, ({ as }) => {
    if (signedIn.has(as)) return said(`signed in as ${as}`)
    signedIn.add(as)
    const elicitations = [{ ...PAGE, elicitationId: as }]
    setImmediate(() => {
      void server.server.notification({
        method: 'notifications/elicitation/complete',
        params: { elicitationId: as },
      })
    })
    throw new McpError(ErrorCode.UrlElicitationRequired, 'sign in first', { elicitations })
  })
  server.registerTool('log', { inputSchema: {} }, async (_, { sendNotification }) => {
    for (const level of ['debug', 'warning'] as const)
      await sendNotification({
        method: 'notifications/message',
        params: { level, data: `a ${level}` },
      })
    return said('logged')
  })
  // Says that it began, then waits until it is released or cancelled.
  server.registerTool(
    'hold',
    { inputSchema: {} },
    async (_, { _meta, signal, sendNotification }) => {
      const progressToken = _meta?.progressToken ?? 'none'
      const released = new Promise<void>((resolve) => {
        held.add(resolve)
        signal.addEventListener('abort', () => {
          if (!held.delete(resolve)) return
          cancelled += 1
          resolve()
        })
      })
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: 1, message: 'begun' },
      })
      await released
      return said('released')
    },
  )
  server.registerTool('cancelled', {}, () => said(String(cancelled)))
  server.registerTool('change', {}, async () => {
    server.sendToolListChanged()
    for (const uri of subscribed) await server.server.sendResourceUpdated({ uri })
    return said('changed')
  })
  return server
}

async function overStdio(): Promise<void> {
  if (process.argv[3] === 'strict')
    process.stdin.once('data', (first: Buffer) => {
      if (!first.toString('utf8').includes('"initialize"')) process.exit(3)
    })
  await create().connect(new StdioServerTransport())
}

function overHttp(): void {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id']
    if (request.url === '/forget') {
      sessions.clear()
      response.writeHead(200).end()
      return
    }
    const known = typeof id === 'string' ? sessions.get(id) : undefined
    if (known !== undefined) return known.handleRequest(request, response)
    // The refusal that the examples of the SDK give for any request without a session they know.
    const isNew = id === undefined && request.method === 'POST'
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (made) => void sessions.set(made, transport),
    })
    if (!isNew) {
      response.writeHead(400, { 'Content-Type': 'application/json' })
      const error = { code: -32000, message: 'Bad Request: No valid session ID provided' }
      response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
      return
    }
    await create().connect(transport)
    await transport.handleRequest(request, response)
  }
  listen('/mcp', serve)
}

function overSse(): void {
  const sessions = new Map<string, SSEServerTransport>()
  listen('/sse', async (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (request.method === 'GET' && url.pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response)
      sessions.set(transport.sessionId, transport)
      await create().connect(transport)
      return
    }
    const known = sessions.get(url.searchParams.get('sessionId') ?? '')
    if (request.method === 'POST' && known !== undefined)
      await known.handlePostMessage(request, response)
    else response.writeHead(url.pathname === '/sse' ? 405 : 404).end()
  })
}

function listen(
  path: string,
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): void {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`listening on http://127.0.0.1:${port}${path}\n`)
  })
}

const kind = process.argv[2]
if (kind === 'stdio') await overStdio()
else if (kind === 'sse') overSse()
else overHttp()
