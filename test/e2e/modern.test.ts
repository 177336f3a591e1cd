import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolResult } from '../fakes/mcp-http.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const SERVER = fileURLToPath(new URL('../fakes/children/modern-server.ts', import.meta.url))
const COMMAND = [process.execPath, '--disable-warning=ExperimentalWarning', SERVER]
const TOKENS = { pipe: 'modern-token-of-pipe-1', http: 'modern-token-of-http-1' }

const space = new Space()
let served: Served
beforeAll(async () => {
  const http = space.startOther([...COMMAND, 'http'])
  const url = (await http.line('listening on ')).slice('listening on '.length)
  space.file('policy.json', {
    version: '1',
    default: 'allow',
    hide: ['secret'],
    tools: {
      forbidden: { action: 'deny', reason: 'never' },
      deploy: { limits: [{ counter: 'deploys', window: 'month', max: 1 }] },
    },
  })
  const [command, ...args] = COMMAND
  served = await space.serve({
    servers: { http: { url }, pipe: { command, args: [...args, 'stdio'] } },
    policies: { p: './policy.json' },
    grants: {
      http: { server: 'http', policy: 'p', token: TOKENS.http },
      pipe: { server: 'pipe', policy: 'p', token: TOKENS.pipe },
    },
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

describe.each([
  ['over HTTP to an HTTP server', viaServe('http')],
  ['over HTTP to a stdio server', viaServe('pipe')],
  ['over stdio to an HTTP server', viaWrap('http')],
  ['over stdio to a stdio server', viaWrap('pipe')],
] as const)('the stateless revision %s', (_, transport) => {
  const clients: Client[] = []
  const join = async (confirm = true): Promise<Client> => {
    const client = new Client(
      { name: 'modern', version: '1' },
      {
        capabilities: { elicitation: {} },
        versionNegotiation: { mode: { pin: '2026-07-28' } },
      },
    )
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { confirm },
    }))
    await client.connect(transport())
    clients.push(client)
    return client
  }
  let client: Client
  beforeAll(async () => {
    client = await join()
  })
  afterAll(() => Promise.all(clients.map((one) => one.close())))
  const call = async (name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })) as unknown as ToolResult

  test('tools are filtered, called, denied and unknown', async () => {
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('echo')
    expect(names).toContain('forbidden')
    expect(names).not.toContain('secret')
    expect(textOf(await call('echo', { text: 'hé 😀' }))).toBe('echo: hé 😀')
    expect(await call('forbidden')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('[POLICY DENIED]') }],
      _meta: { 'sallyport.dev/decision': { effect: 'deny', rule: '/tools/forbidden/action' } },
    })
    await expect(call('secret')).rejects.toThrow('Unknown tool: secret')
    await expect(call('none')).rejects.toThrow('Unknown tool: none')
  })

  test('a server that needs input gets it in further rounds', async () => {
    expect(textOf(await call('deploy', { to: 'stage' }))).toBe('deployed to stage')
  })

  test('what is streamed arrives before the answer is complete', async () => {
    // Were the first event held until the end, nothing would ever release this call.
    let began = false
    const held = client.callTool(
      { name: 'hold', arguments: {} },
      { onprogress: () => (began = true) },
    )
    await until(() => began, 'the progress of a call that has not ended')
    expect(textOf(await call('release'))).toBe('released 1')
    expect(textOf(await held)).toBe('released')
  })

  test('a call that the client gives up is given up at the server', async () => {
    const before = Number(textOf(await call('aborted')))
    const controller = new AbortController()
    const held = client.callTool(
      { name: 'hold', arguments: {} },
      { signal: controller.signal, onprogress: () => controller.abort() },
    )
    await expect(held).rejects.toThrow()
    let after = before
    await until(() => {
      void call('aborted').then((result) => {
        after = Math.max(after, Number(textOf(result)))
      })
      return after > before
    }, 'the server to see the end')
    expect(after).toBe(before + 1)
    expect(textOf(await call('release'))).toBe('released 0')
  })

  test('two clients at once are never mixed', async () => {
    const other = await join()
    const answers = await Promise.all(
      [client, other].flatMap((one, who) =>
        Array.from({ length: 20 }, async (_, i) => {
          const said = `client ${who} call ${i}`
          const result = await one.callTool({ name: 'echo', arguments: { text: said } })
          return [textOf(result), `echo: ${said}`] as const
        }),
      ),
    )
    for (const [said, expected] of answers) expect(said).toBe(expected)
  })
})
