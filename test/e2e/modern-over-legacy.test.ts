import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BareClient, type ToolResult } from '../fakes/mcp-http.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

/** Stateless clients, in the official SDK, in front of a server that knows only sessions (SDK 1). */
const SERVER = fileURLToPath(new URL('../fakes/children/session-server.ts', import.meta.url))
const COMMAND = [process.execPath, '--disable-warning=ExperimentalWarning', SERVER]
const TOKENS = {
  http: 'bridged-token-of-http-1',
  sse: 'bridged-token-of-sse-1',
  pipe: 'bridged-token-of-pipe-1',
  strict: 'bridged-token-of-strict-1',
}

const space = new Space()
let served: Served
let origin = ''
beforeAll(async () => {
  const urlOf = async (kind: string): Promise<string> => {
    const program = space.startOther([...COMMAND, kind])
    return (await program.line('listening on ')).slice('listening on '.length)
  }
  const url = await urlOf('http')
  origin = new URL(url).origin
  space.file('policy.json', {
    version: '1',
    default: 'allow',
    tools: {
      forbidden: { action: 'deny', reason: 'never' },
      ask: { limits: [{ counter: 'asked', window: 'month', max: 3 }] },
    },
  })
  const [command, ...args] = COMMAND
  served = await space.serve({
    servers: {
      http: { url },
      sse: { url: await urlOf('sse') },
      pipe: { command, args: [...args, 'stdio'] },
      strict: { command, args: [...args, 'stdio', 'strict'] },
    },
    policies: { p: './policy.json' },
    grants: Object.fromEntries(
      Object.entries(TOKENS).map(([server, token]) => [server, { server, policy: 'p', token }]),
    ),
  })
})
afterAll(() => space.close())

type Transport = Parameters<Client['connect']>[0]

const viaServe = (server: keyof typeof TOKENS) => (): Transport =>
  new StreamableHTTPClientTransport(new URL(served.mcp(server)), {
    requestInit: { headers: { Authorization: `Bearer ${TOKENS[server]}` } },
  })

const viaWrap = (name: string) => (): Transport => {
  const [command = '', ...cli] = SALLYPORT
  return new StdioClientTransport({
    command,
    args: [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', name],
    env: { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir },
    cwd: space.path,
    stderr: 'ignore',
  })
}

const textOf = (result: object): string => (result as ToolResult).content?.[0]?.text ?? ''

async function join(transport: Transport, capabilities: object): Promise<Client> {
  const client = new Client(
    { name: 'stateless', version: '7' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  if ('elicitation' in capabilities)
    client.setRequestHandler('elicitation/create', ({ params }) =>
      params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ana' } },
    )
  if ('roots' in capabilities)
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home' }] }))
  if ('sampling' in capabilities)
    client.setRequestHandler('sampling/createMessage', () => ({
      model: 'm',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'word' },
    }))
  await client.connect(transport)
  return client
}
const ALL = { elicitation: { form: {}, url: {} }, roots: {}, sampling: {} }

describe.each([
  ['over HTTP, of a server over HTTP', viaServe('http')],
  ['over HTTP, of a server over HTTP+SSE', viaServe('sse')],
  ['over HTTP, of a server over stdio', viaServe('pipe')],
  ['over HTTP, of a server over stdio that ends over what it does not know', viaServe('strict')],
  ['over stdio, of a server over HTTP', viaWrap('http')],
  ['over stdio, of a server over stdio', viaWrap('pipe')],
] as const)('a stateless client %s', (_, transport) => {
  let client: Client
  beforeAll(async () => {
    client = await join(transport(), ALL)
  })
  afterAll(() => client.close())
  const call = async (name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })) as unknown as ToolResult

  test('finds what the server offers', async () => {
    expect(client.getServerCapabilities()).toMatchObject({ logging: {}, tools: {} })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    expect(tools.some((tool) => 'execution' in tool)).toBe(false)
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['greet'])
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['note://one'])
    const { contents } = await client.readResource({ uri: 'note://one' })
    expect(contents).toEqual([{ uri: 'note://one', text: 'a note' }])
    expect(
      textOf({ content: [(await client.getPrompt({ name: 'greet' })).messages[0]?.content] }),
    ).toBe('hello')
  })

  test('calls tools under the policy', async () => {
    expect(textOf(await call('echo', { text: 'hé 😀' }))).toBe('hé 😀')
    expect(await call('structured')).toMatchObject({ structuredContent: { n: 1 } })
    expect(await call('forbidden')).toMatchObject({
      isError: true,
      _meta: { 'sallyport.dev/decision': { rule: '/tools/forbidden/action' } },
    })
  })

  test('keeps one session, in which the server knows it', async () => {
    const counts = [await call('count'), await call('count'), await call('count')].map(textOf)
    const [first = 0] = counts.map(Number)
    expect(counts.map(Number)).toEqual([first, first + 1, first + 2])
    expect(JSON.parse(textOf(await call('client')))).toMatchObject({
      info: { name: 'stateless', version: '7' },
      capabilities: { roots: {}, sampling: {} },
    })
  })

  test('is asked by the server, in rounds', async () => {
    expect(textOf(await call('ask'))).toBe('hello Ana')
  })

  test('is asked by a server that asks on the stream of no request', async () => {
    expect(textOf(await call('ask-loosely'))).toBe('hello Ana')
  })

  test('is asked for a sample and its roots', async () => {
    expect(textOf(await call('ask-all'))).toBe('file:///home word')
  })

  test('opens the page that a server wants opened first', async () => {
    expect(textOf(await call('sign-in', { as: `${Math.random()}` }))).toMatch(/^signed in as /)
  })

  test('gets progress while it waits, and cancels what it no longer wants', async () => {
    const before = Number(textOf(await call('cancelled')))
    const heard: string[] = []
    const stop = new AbortController()
    const waiting = client.callTool(
      { name: 'hold', arguments: {} },
      { signal: stop.signal, onprogress: ({ message }) => void heard.push(message ?? '') },
    )
    waiting.catch(() => {})
    await until(() => heard.includes('begun'), 'the progress')
    stop.abort()
    await expect(waiting).rejects.toThrow()
    let after = before
    const poll = async () => {
      after = Number(textOf(await call('cancelled')))
    }
    while (after === before) await poll()
    expect(after).toBe(before + 1)
  })

  test('gets log messages of the level that it names', async () => {
    const heard: unknown[] = []
    client.setNotificationHandler('notifications/message', ({ params }) => {
      heard.push(params.data)
    })
    await call('log')
    const _meta = { 'io.modelcontextprotocol/logLevel': 'warning' } as const
    await client.callTool({ name: 'log', arguments: {}, _meta })
    expect(heard).toEqual(['a warning'])
  })

  test('listens to changes of lists and resources', async () => {
    const heard: string[] = []
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      heard.push('tools')
    })
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      heard.push(params.uri)
    })
    const subscription = await client.listen({
      toolsListChanged: true,
      resourceSubscriptions: ['note://one'],
    })
    await call('change')
    await until(() => heard.length >= 2, 'both changes')
    expect(heard.toSorted()).toEqual(['note://one', 'tools'])
    await subscription.close()
  })
})

describe('a server with sessions behind the gateway', () => {
  test('may forget them: the next call is made in a fresh one', async () => {
    const bare = new BareClient(served.mcp('http'), TOKENS.http)
    expect(textOf((await bare.call('count')).message.result ?? {})).toBe('1')
    await fetch(`${origin}/forget`)
    expect(textOf((await bare.call('count')).message.result ?? {})).toBe('1')
    expect(textOf((await bare.call('count')).message.result ?? {})).toBe('2')
  })

  test('is not asked what its client can not answer', async () => {
    const bare = new BareClient(served.mcp('http'), TOKENS.http)
    const { message } = await bare.call('ask-loosely')
    expect(message.result?.isError).toBe(true)
    expect(textOf(message.result ?? {})).toContain('does not support')
  })

  test('counts the rounds of a call once, also when they run out', async () => {
    // Three calls in the month for each grant, and the suites above made one or two of them.
    const client = await join(viaServe('strict')(), ALL)
    const results = []
    for (let i = 0; i < 4; i++)
      results.push((await client.callTool({ name: 'ask', arguments: {} })) as unknown as ToolResult)
    expect(results.filter(({ isError }) => isError !== true).length).toBe(2)
    await client.close()
  })

  test('is still open to clients with sessions, untouched', async () => {
    const client = new Client({ name: 'legacy', version: '1' }, { capabilities: {} })
    await client.connect(viaServe('http')())
    const result = await client.callTool({ name: 'echo', arguments: { text: 'old' } })
    expect(textOf(result)).toBe('old')
    expect(result).not.toHaveProperty('resultType')
    await client.close()
  })
})
