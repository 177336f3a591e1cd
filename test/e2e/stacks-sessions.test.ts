import { fileURLToPath } from 'node:url'
import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewHttp,
} from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolResult } from '../fakes/mcp-http.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const REFERENCE = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
const SMALL = fileURLToPath(new URL('../fakes/children/modern-server.ts', import.meta.url))
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']
const TOKENS = { one: 'stack-sessions-token-1', two: 'stack-sessions-token-2' }

const space = new Space()
let served: Served
beforeAll(async () => {
  const http = space.startOther([...NODE, REFERENCE, '--eras', 'modern'])
  const url = (await http.line('listening on ')).slice('listening on '.length)
  const [command, ...args] = NODE
  space.file('p.json', {
    version: '1',
    default: 'allow',
    tools: {
      secret: { action: 'deny' },
      // Each of the two clients calls it once, in two rounds: those are one call.
      test_input_required_result_elicitation: {
        limits: [{ counter: 'asking', window: 'month', max: 2 }],
      },
    },
  })
  served = await space.serve({
    servers: {
      ref: { url },
      small: { command, args: [...args, SMALL, 'stdio'] },
      old: { command, args: [...args, REFERENCE, '--stdio', '--eras', 'legacy'] },
    },
    policies: { p: './p.json' },
    stacks: { work: { servers: ['ref', 'small', 'old'] } },
    grants: {
      one: { stack: 'work', policy: 'p', token: TOKENS.one },
      two: { stack: 'work', policy: 'p', token: TOKENS.two },
    },
  })
})
afterAll(() => space.close())

const where = () => new URL(`${served.url}/stacks/work`)
const withToken = (token: string) => ({
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
})

/** What both generations of the SDK have. */
type Party = Pick<
  OldClient,
  | 'listTools'
  | 'listPrompts'
  | 'getPrompt'
  | 'listResources'
  | 'readResource'
  | 'subscribeResource'
  | 'complete'
  | 'ping'
  | 'close'
  | 'getServerVersion'
  | 'getServerCapabilities'
  | 'getInstructions'
> & {
  call(
    name: string,
    args?: Record<string, unknown>,
    onprogress?: (n: number) => void,
  ): Promise<ToolResult>
  readonly told: string[]
}

const CLIENT = { name: 'sessions', version: '1' }
const OPTIONS = { capabilities: { elicitation: {} } }
const ACCEPTED = {
  action: 'accept' as const,
  content: { name: 'Ada', response: 'yes' },
}

async function old(): Promise<Party> {
  const client = new OldClient(CLIENT, OPTIONS)
  const told: string[] = []
  client.setRequestHandler(ElicitRequestSchema, () => ACCEPTED)
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void told.push(params.uri),
  )
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told.push('tools'))
  await client.connect(new OldHttp(where(), withToken(TOKENS.one)) as never)
  return Object.assign(client, {
    told,
    call: async (name: string, args = {}, onprogress?: (n: number) => void) =>
      (await client.callTool({ name, arguments: args }, undefined, {
        ...(onprogress === undefined ? {} : { onprogress: (p) => onprogress(p.progress) }),
      })) as ToolResult,
  })
}

async function recent(): Promise<Party> {
  const client = new NewClient(CLIENT, OPTIONS)
  const told: string[] = []
  client.setRequestHandler('elicitation/create', () => ACCEPTED)
  client.setNotificationHandler(
    'notifications/resources/updated',
    ({ params }) => void told.push(params.uri),
  )
  client.setNotificationHandler('notifications/tools/list_changed', () => void told.push('tools'))
  await client.connect(new NewHttp(where(), withToken(TOKENS.one)))
  return Object.assign(client, {
    told,
    call: async (name: string, args = {}, onprogress?: (n: number) => void) =>
      (await client.callTool(
        { name, arguments: args },
        {
          ...(onprogress === undefined ? {} : { onprogress: (p) => onprogress(p.progress) }),
        },
      )) as unknown as ToolResult,
  }) as unknown as Party
}

describe.each([
  ['the first generation of the SDK', old],
  ['the second generation of the SDK', recent],
] as const)('a client with sessions, of %s,', (_, connect) => {
  let client: Party
  beforeAll(async () => {
    client = await connect()
  })
  afterAll(() => client.close())
  const text = (result: ToolResult) => result.content?.[0]?.text

  test('meets the stack as a server', async () => {
    expect(client.getServerVersion()).toMatchObject({ name: 'work' })
    expect(client.getServerCapabilities()).toMatchObject({
      tools: { listChanged: true },
      resources: { subscribe: true },
      prompts: {},
    })
    expect(client.getInstructions()).toContain('ref, small, old')
    await client.ping()
  })

  test('lists, calls, gets, reads and completes', async () => {
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('ref__test_simple_text')
    expect(names).toContain('small__echo')
    expect(text(await client.call('small__echo', { text: 'hé' }))).toBe('echo: hé')
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0)
    const prompt = await client.getPrompt({
      name: 'ref__test_prompt_with_arguments',
      arguments: { arg1: '1', arg2: '2' },
    })
    expect(JSON.stringify(prompt.messages)).toContain("arg1='1'")
    const uris = (await client.listResources()).resources.map(({ uri }) => uri)
    expect(uris).toContain('ref+test://static-text')
    const { contents } = await client.readResource({ uri: 'ref+test://static-text' })
    expect(contents).toMatchObject([{ uri: 'ref+test://static-text' }])
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'ref__test_prompt_with_arguments' },
      argument: { name: 'arg1', value: '' },
    })
    expect(completion.values).toEqual([])
  })

  test('is denied by the policy of the server, and told of it', async () => {
    const result = await client.call('small__secret')
    expect(result.isError).toBe(true)
    expect(text(result)).toContain('[POLICY DENIED]')
  })

  test('calls a tool whose arguments are repeated in headers', async () => {
    expect(text(await client.call('ref__test_x_mcp_header', { region: 'north' }))).toBe(
      'region=north',
    )
  })

  test('is asked by a server in the middle of a call, and hears its progress', async () => {
    expect(text(await client.call('ref__test_input_required_result_elicitation'))).toBe(
      'Hello, Ada!',
    )
    const progress: number[] = []
    await client.call('ref__test_tool_with_progress', {}, (n) => progress.push(n))
    expect(progress).toEqual([0, 50, 100])
  })

  test('is asked by a server with sessions, and sees what it refers to', async () => {
    const asked = await client.call('old__test_elicitation', { message: 'Shall I?' })
    expect(text(asked)).toContain('"response":"yes"')
    const found = await client.call('old__test_embedded_resource')
    expect(JSON.stringify(found.content)).toContain('"old+test://embedded-resource"')
    const progress: number[] = []
    await client.call('old__test_tool_with_progress', {}, (n) => progress.push(n))
    expect(progress).toEqual([0, 50, 100])
  })

  test('hears of changes at its servers', async () => {
    await client.subscribeResource({ uri: 'ref+test://watched-resource' })
    await until(() => {
      void client.call('ref__test_trigger_resource_update').catch(() => {})
      return client.told.includes('ref+test://watched-resource')
    }, 'the update')
    await until(() => {
      void client.call('ref__test_trigger_tool_change').catch(() => {})
      return client.told.includes('tools')
    }, 'the change')
  })
})

test('a session belongs to its grant and its stack', async () => {
  const post = (body: object, token: string, session?: string) =>
    fetch(where(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    })
  const opened = await post(
    {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: CLIENT },
    },
    TOKENS.one,
  )
  const session = opened.headers.get('mcp-session-id') ?? ''
  expect(session).toMatch(/^sp1\./)
  await opened.text()
  const { out } = await space.run(['log', '--json', '--server', 'stacks/work'])
  expect(out).toContain('"method":"initialize"')
  const list = { method: 'tools/list', params: {} }
  expect((await post(list, TOKENS.one, session)).status).toBe(200)
  expect((await post(list, TOKENS.two, session)).status).toBe(404)
  const ended = await fetch(where(), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${TOKENS.one}`, 'mcp-session-id': session },
  })
  expect(ended.status).toBeLessThan(300)
  expect((await post(list, TOKENS.one, session)).status).toBe(404)
})
