import { fileURLToPath } from 'node:url'
import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewHttp,
  SSEClientTransport as NewSse,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as OldSse } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolResult } from '../fakes/mcp-http.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const QUIET = '--disable-warning=ExperimentalWarning'
const REFERENCE = [QUIET, at('../fakes/reference-server/main.ts'), '--eras', 'modern']
const HOLDING = [QUIET, at('../fakes/children/modern-server.ts')]
const SERVERS = ['http', 'pipe', 'holding-http', 'holding-pipe'] as const
type ServerName = (typeof SERVERS)[number]
const tokenOf = (server: ServerName): string => `bridged-sessions-token-${server}`

const space = new Space()
let served: Served
beforeAll(async () => {
  const urlOf = async (args: readonly string[]): Promise<string> => {
    const program = space.startOther([process.execPath, ...args])
    return (await program.line('listening on ')).slice('listening on '.length)
  }
  const [url, holdingUrl] = await Promise.all([
    urlOf([...REFERENCE, '--port', '0']),
    urlOf([...HOLDING, 'http']),
  ])
  space.file('policy.json', {
    version: '1',
    default: 'allow',
    hide: ['test_audio_content'],
    tools: { test_image_content: { action: 'deny', reason: 'no images' } },
  })
  const command = process.execPath
  served = await space.serve({
    servers: {
      http: { url },
      pipe: { command, args: [...REFERENCE, '--stdio'] },
      'holding-http': { url: holdingUrl, era: 'modern' },
      'holding-pipe': { command, args: [...HOLDING, 'stdio'], era: 'modern' },
    },
    policies: { p: './policy.json' },
    grants: Object.fromEntries(
      SERVERS.map((server) => [server, { server, policy: 'p', token: tokenOf(server) }]),
    ),
  })
})
const closing: Promise<void>[] = []
afterAll(async () => {
  await Promise.all(closing)
  await space.close()
})

interface CallOptions {
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { progress: number }) => void
}

/** A client of either SDK in a session, and what came to it unasked. */
interface Party {
  readonly client: OldClient
  readonly logged: unknown[]
  readonly updated: string[]
  readonly asked: Record<string, unknown>[]
  changes(): number
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>
}

const CAPABILITIES = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} }
const sampled = {
  model: 'none',
  role: 'assistant' as const,
  content: { type: 'text' as const, text: 'Good day,' },
}
const rooted = { roots: [{ uri: 'file:///home', name: 'home' }] }
const elicited = (params: Record<string, unknown>) =>
  params.mode === 'url'
    ? { action: 'accept' as const }
    : { action: 'accept' as const, content: { name: 'Ada', color: 'red', response: 'yes' } }

type Reach = 'HTTP' | 'HTTP+SSE' | 'stdio'

const httpOptions = (server: ServerName) => ({
  requestInit: { headers: { Authorization: `Bearer ${tokenOf(server)}` } },
})
const wrapOptions = (server: ServerName) => {
  const [command = '', ...cli] = SALLYPORT
  return {
    command,
    args: [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', server],
    env: { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir },
    cwd: space.path,
    stderr: 'ignore' as const,
  }
}

async function joinOld(reach: Reach, server: ServerName, capabilities: object): Promise<Party> {
  const client = new OldClient({ name: 'first', version: '1' }, { capabilities })
  const kept = { logged: [] as unknown[], updated: [] as string[], asked: [] as Party['asked'] }
  let changes = 0
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    kept.logged.push(params.data)
  })
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    kept.updated.push(params.uri)
  })
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes++
  })
  if ('sampling' in capabilities) {
    client.setRequestHandler(CreateMessageRequestSchema, () => sampled)
    client.setRequestHandler(ListRootsRequestSchema, () => rooted)
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      kept.asked.push(params)
      return elicited(params)
    })
  }
  const transports = {
    HTTP: () => new OldHttp(new URL(served.mcp(server)), httpOptions(server)),
    'HTTP+SSE': () => new OldSse(new URL(`${served.mcp(server)}/sse`), httpOptions(server)),
    stdio: () => new OldStdio(wrapOptions(server)),
  }
  await client.connect(transports[reach]() as Parameters<OldClient['connect']>[0])
  return {
    client,
    ...kept,
    changes: () => changes,
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, undefined, options)) as ToolResult,
  }
}

async function joinNew(reach: Reach, server: ServerName, capabilities: object): Promise<Party> {
  const client = new NewClient({ name: 'second', version: '1' }, { capabilities })
  const kept = { logged: [] as unknown[], updated: [] as string[], asked: [] as Party['asked'] }
  let changes = 0
  client.setNotificationHandler('notifications/message', ({ params }) => {
    kept.logged.push(params.data)
  })
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    kept.updated.push(params.uri)
  })
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    changes++
  })
  if ('sampling' in capabilities) {
    client.setRequestHandler('sampling/createMessage', () => sampled)
    client.setRequestHandler('roots/list', () => rooted)
    client.setRequestHandler('elicitation/create', ({ params }) => {
      kept.asked.push(params as Record<string, unknown>)
      return elicited(params as Record<string, unknown>)
    })
  }
  const transports = {
    HTTP: () => new NewHttp(new URL(served.mcp(server)), httpOptions(server)),
    'HTTP+SSE': () => new NewSse(new URL(`${served.mcp(server)}/sse`), httpOptions(server)),
    stdio: () => new NewStdio(wrapOptions(server)),
  }
  await client.connect(transports[reach]())
  return {
    client: client as unknown as OldClient,
    ...kept,
    changes: () => changes,
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, options)) as unknown as ToolResult,
  }
}

const textOf = (result: ToolResult): string => result.content?.[0]?.text ?? ''

const matrix = [
  ['SDK 1 over HTTP to an HTTP server', joinOld, 'HTTP', 'http'],
  ['SDK 2 over HTTP to a stdio server', joinNew, 'HTTP', 'pipe'],
  ['SDK 2 over HTTP to an HTTP server', joinNew, 'HTTP', 'http'],
  ['SDK 1 over HTTP to a stdio server', joinOld, 'HTTP', 'pipe'],
  ['SDK 1 over stdio to an HTTP server', joinOld, 'stdio', 'http'],
  ['SDK 2 over stdio to a stdio server', joinNew, 'stdio', 'pipe'],
  ['SDK 1 over HTTP+SSE to an HTTP server', joinOld, 'HTTP+SSE', 'http'],
  ['SDK 2 over HTTP+SSE to a stdio server', joinNew, 'HTTP+SSE', 'pipe'],
] as const

describe.each(matrix)('a session over a stateless server, %s', (_, join, reach, server) => {
  let party: Party
  let holding: Party
  beforeAll(async () => {
    party = await join(reach, server, CAPABILITIES)
    holding = await join(reach, `holding-${server}`, CAPABILITIES)
  })
  afterAll(() => {
    for (const { client } of [party, holding]) closing.push(client.close())
  })

  test('tools are listed without the hidden, called and denied', async () => {
    const { client, call } = party
    expect(client.getServerVersion()?.name).toBe('reference')
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('test_simple_text')
    expect(names).not.toContain('test_audio_content')
    const result = await call('test_simple_text')
    expect(textOf(result)).not.toBe('')
    expect(result).not.toHaveProperty('resultType')
    expect(await call('test_image_content')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('[POLICY DENIED]') }],
    })
    await expect(call('test_audio_content')).rejects.toThrow('Unknown tool')
    await client.ping()
  })

  test('an argument that the server wants repeated in a header is', async () => {
    expect(textOf(await party.call('test_x_mcp_header', { region: 'eu nörth' }))).toBe(
      'region=eu nörth',
    )
  })

  test('prompts, resources and completions are answered', async () => {
    const { client } = party
    const [prompt] = (await client.listPrompts()).prompts
    expect((await client.getPrompt({ name: 'test_simple_prompt' })).messages).not.toEqual([])
    expect(prompt).toBeDefined()
    const { contents } = await client.readResource({ uri: 'test://watched-resource' })
    expect(contents).toHaveLength(1)
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_simple_prompt' },
      argument: { name: 'x', value: '' },
    })
    expect(completed.completion.values).toEqual([])
    await expect(client.readResource({ uri: 'test://none' })).rejects.toMatchObject({
      code: -32602,
    })
  })

  test('a server that needs a form, a model and the roots at once gets all three', async () => {
    const said = textOf(await party.call('test_input_required_result_multiple_inputs'))
    expect(said).toBe('Good day, Ada, with 1 roots')
  })

  test('a server that asks twice carries its state through both rounds', async () => {
    const said = textOf(await party.call('test_input_required_result_multi_round'))
    expect(said).toBe('Ada likes red')
  })

  test('a server that sends its user to a URL hears that it was opened', async () => {
    expect(textOf(await holding.call('connect'))).toBe('opened: {"action":"accept"}')
    expect(holding.asked.at(-1)).toMatchObject({
      mode: 'url',
      url: 'https://example.com/in',
      elicitationId: expect.any(String),
    })
  })

  test('progress and log messages arrive while the call runs', async () => {
    const progress: number[] = []
    await party.client.setLoggingLevel('info')
    await party.call(
      'test_tool_with_progress',
      {},
      { onprogress: ({ progress: at }) => void progress.push(at) },
    )
    // The last one may lose the race against the answer, inside the client.
    expect(progress.slice(0, 2)).toEqual([0, 50])
    await party.call('test_logging_tool')
    await until(() => party.logged.length > 0, 'a log message')
  })

  test('what is streamed arrives before the answer is complete', async () => {
    let began = false
    const held = holding.call('hold', {}, { onprogress: () => (began = true) })
    await until(() => began, 'the progress of a call that has not ended')
    expect(textOf(await holding.call('release'))).toBe('released 1')
    expect(textOf(await held)).toBe('released')
  })

  test('a call that the client cancels is cancelled at the server', async () => {
    const before = Number(textOf(await holding.call('aborted')))
    const controller = new AbortController()
    const held = holding.call(
      'hold',
      {},
      { signal: controller.signal, onprogress: () => controller.abort() },
    )
    await expect(held).rejects.toThrow()
    let after = before
    await until(() => {
      void holding.call('aborted').then((result) => {
        after = Math.max(after, Number(textOf(result)))
      })
      return after > before
    }, 'the server to see the end')
    expect(after).toBe(before + 1)
    expect(textOf(await holding.call('release'))).toBe('released 0')
  })

  test('changes of a watched resource and of the lists are told', async () => {
    const { client, call, updated } = party
    await client.subscribeResource({ uri: 'test://watched-resource' })
    await call('test_trigger_resource_update')
    await until(() => updated.length > 0, 'the update')
    expect(updated).toEqual(['test://watched-resource'])
    const before = party.changes()
    await call('test_trigger_tool_change')
    await until(() => party.changes() > before, 'the change')
    await client.unsubscribeResource({ uri: 'test://watched-resource' })
    await call('test_trigger_resource_update')
    await call('test_trigger_tool_change')
    await until(() => party.changes() > before + 1, 'another change')
    expect(updated).toHaveLength(1)
  })

  test('a client that can not be asked gets a result that says so', async () => {
    const mute = await join(reach, server, {})
    closing.push(
      mute.call('test_missing_capability').then(async (result) => {
        await mute.client.close()
        expect(result.isError).toBe(true)
        expect(textOf(result)).toContain('sampling')
      }),
    )
    await closing.at(-1)
  })
})
