import {
  Client as NewClient,
  type StreamableHTTPClientTransport as NewHttp,
  type RequestOptions as NewOptions,
  type SSEClientTransport as NewSse,
} from '@modelcontextprotocol/client'
import type { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import type { SSEClientTransport as OldSse } from '@modelcontextprotocol/sdk/client/sse.js'
import type { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { ToolResult } from './mcp-http.ts'

type CallOptions = Pick<NewOptions, 'signal' | 'onprogress'>

/** What both official clients can do, and what came to them unasked. */
export interface Party {
  readonly logged: unknown[]
  readonly updated: string[]
  readonly errors: Error[]
  /** Is it certain that it hears what the server asks outside of a call? */
  readonly isHeard: boolean
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>
  readonly client: Pick<
    OldClient,
    | 'listTools'
    | 'listResources'
    | 'listResourceTemplates'
    | 'readResource'
    | 'subscribeResource'
    | 'unsubscribeResource'
    | 'listPrompts'
    | 'getPrompt'
    | 'complete'
    | 'setLoggingLevel'
    | 'ping'
    | 'close'
  >
}

const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} }
const sampled = (who: string) => ({
  model: 'none',
  role: 'assistant' as const,
  content: { type: 'text' as const, text: `sampled by ${who}` },
})
const elicited = (who: string) => ({ action: 'accept' as const, content: { name: who } })
const rooted = (who: string) => ({ roots: [{ uri: `file:///${who}`, name: who }] })

/** The transport of each generation of the SDK for one way to reach a server. */
export interface Way {
  readonly first: () => OldHttp | OldSse | OldStdio
  readonly second: () => NewHttp | NewSse | NewStdio
  /**
   * Resolves with true once what the server says unasked arrives (it drops what it says before),
   * with false where a client can not know.
   */
  readonly listening: Promise<boolean>
}

/** Connects a client of the SDK's first generation. */
export async function connectOld(way: Way, who: string): Promise<Party> {
  const client = new OldClient({ name: who, version: '1' }, { capabilities: CAPABILITIES })
  const kept = { logged: [] as unknown[], updated: [] as string[], errors: [] as Error[] }
  client.onerror = (error) => kept.errors.push(error)
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    kept.logged.push(params.data)
  })
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    kept.updated.push(params.uri)
  })
  client.setRequestHandler(CreateMessageRequestSchema, () => sampled(who))
  client.setRequestHandler(ElicitRequestSchema, () => elicited(who))
  client.setRequestHandler(ListRootsRequestSchema, () => rooted(who))
  await client.connect(way.first() as Parameters<OldClient['connect']>[0])
  return {
    isHeard: await way.listening,
    ...kept,
    client,
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, undefined, options)) as ToolResult,
  }
}

/** Connects a client of its second generation, which opens a session. */
export const connectNew = (way: Way, who: string): Promise<Party> =>
  connectSecond(
    way,
    new NewClient({ name: who, version: '1' }, { capabilities: CAPABILITIES }),
    who,
  )

/** The same without a session: a client of the stateless era. */
export const connectStateless = (way: Way, who: string): Promise<Party> =>
  connectSecond(
    // It has no stream of its own to wait for.
    { ...way, listening: Promise.resolve(false) },
    new NewClient(
      { name: who, version: '1' },
      { capabilities: CAPABILITIES, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    ),
    who,
  )

async function connectSecond(way: Way, client: NewClient, who: string): Promise<Party> {
  const kept = { logged: [] as unknown[], updated: [] as string[], errors: [] as Error[] }
  client.onerror = (error) => kept.errors.push(error)
  client.setNotificationHandler('notifications/message', ({ params }) => {
    kept.logged.push(params.data)
  })
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    kept.updated.push(params.uri)
  })
  client.setRequestHandler('sampling/createMessage', () => sampled(who))
  client.setRequestHandler('elicitation/create', () => elicited(who))
  client.setRequestHandler('roots/list', () => rooted(who))
  await client.connect(way.second())
  return {
    isHeard: await way.listening,
    ...kept,
    client: client as unknown as Party['client'],
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, options)) as unknown as ToolResult,
  }
}

/** What a tool said. */
export const textOf = (result: ToolResult): string => result.content?.[0]?.text ?? ''
