/**
 * A server on the official SDK that speaks the stateless revision, over stdio (`stdio`) or HTTP
 * (`http`, which says its URL on stdout).
 */
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })

/** Calls of `hold` that wait, and how many were aborted. */
const held = new Set<() => void>()
let aborted = 0

function create(): McpServer {
  const server = new McpServer({ name: 'modern', version: '1' }, { capabilities: { logging: {} } })
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text: said }) =>
    text(`echo: ${said}`),
  )
  server.registerTool('forbidden', { inputSchema: z.object({}) }, () => text('this was called'))
  server.registerTool('secret', { inputSchema: z.object({}) }, () => text('this was called'))
  server.registerTool(
    'deploy',
    { inputSchema: z.object({ to: z.string() }) },
    ({ to }, context) => {
      const asked = z.object({ confirm: z.boolean() })
      const answer = acceptedContent(context.mcpReq.inputResponses, 'confirm', asked)
      if (answer?.confirm === true) return text(`deployed to ${to}`)
      const confirm = inputRequired.elicit({ message: `Deploy to ${to}?`, requestedSchema: asked })
      return inputRequired({ inputRequests: { confirm } })
    },
  )
  server.registerTool('connect', { inputSchema: z.object({}) }, (_, { mcpReq }) => {
    if (mcpReq.inputResponses?.page !== undefined)
      return text(`opened: ${JSON.stringify(mcpReq.inputResponses.page)}`)
    const page = inputRequired.elicitUrl({ message: 'Sign in.', url: 'https://example.com/in' })
    return inputRequired({ inputRequests: { page } })
  })
  // Says that it began, then waits until it is released or aborted.
  server.registerTool('hold', { inputSchema: z.object({}) }, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 'none'
    const released = new Promise<void>((resolve) => {
      held.add(resolve)
      mcpReq.signal.addEventListener('abort', () => {
        if (!held.delete(resolve)) return
        aborted += 1
        resolve()
      })
    })
    await mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken, progress: 1 },
    })
    await released
    return text('released')
  })
  server.registerTool('release', { inputSchema: z.object({}) }, () => {
    const count = held.size
    for (const resolve of held) resolve()
    held.clear()
    return text(`released ${count}`)
  })
  server.registerTool('aborted', { inputSchema: z.object({}) }, () => text(String(aborted)))
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
