import { setTimeout as pause } from 'node:timers/promises'
import type { McpServer, ServerNotifier } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { said } from './samples.ts'

/** Long enough that clients read each message by itself. */
const STEP_MS = 50
const nothing = z.object({})

/** Tools that say something before they answer, or elsewhere: logs, progress, changes. */
export function addStreamTools(server: McpServer, announce: ServerNotifier): void {
  server.registerTool(
    'test_tool_with_logging',
    { description: 'logs three times', inputSchema: nothing },
    async (_, { mcpReq }) => {
      for (const data of ['begun', 'under way', 'ended']) {
        await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } })
        await pause(STEP_MS)
      }
      return said('logged')
    },
  )
  server.registerTool(
    'test_logging_tool',
    { description: 'logs if the request asks for logs', inputSchema: nothing },
    async (_, { mcpReq }) => {
      await mcpReq.log('info', 'logged because the request asked for it')
      return said('logged if asked')
    },
  )
  server.registerTool(
    'test_tool_with_progress',
    { description: 'reports its progress three times', inputSchema: nothing },
    async (_, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      if (progressToken === undefined) return said('no progress token')
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `${progress} of 100` }
        await mcpReq.notify({ method: 'notifications/progress', params })
        await pause(STEP_MS)
      }
      return said(String(progressToken))
    },
  )
  server.registerTool(
    'test_reconnection',
    { description: 'hangs up and answers on the resumed stream', inputSchema: nothing },
    async (_, { http }) => {
      http?.closeSSE?.()
      await pause(2 * STEP_MS)
      return said('answered after the stream was closed')
    },
  )
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'answers on a stream that carries no request', inputSchema: nothing },
    () => said('nothing was asked'),
  )

  const changes: Readonly<Record<string, () => void>> = {
    test_trigger_tool_change: () => announce.toolsChanged(),
    test_trigger_prompt_change: () => announce.promptsChanged(),
    test_trigger_resource_change: () => announce.resourcesChanged(),
    test_trigger_resource_update: () => announce.resourceUpdated('test://watched-resource'),
  }
  for (const [name, change] of Object.entries(changes)) {
    server.registerTool(name, { description: 'says that something changed' }, () => {
      change()
      return said('announced')
    })
  }
}
