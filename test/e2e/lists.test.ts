import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, BareClient } from '../fakes/mcp-http.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const SERVER = fileURLToPath(new URL('../fakes/children/paginated-server.ts', import.meta.url))
const COMMAND = [process.execPath, '--disable-warning=ExperimentalWarning', SERVER]
const TOKENS = {
  http: 'lists-token-of-http-1',
  pipe: 'lists-token-of-pipe-1',
  legacy: 'lists-token-of-legacy-1',
  modern: 'lists-token-of-modern-1',
}

const space = new Space()
let served: Served
let serve: () => Promise<Served>
const clients: { close(): Promise<void> }[] = []
beforeAll(async () => {
  const http = space.startOther([...COMMAND, 'http'])
  const url = (await http.line('listening on ')).slice('listening on '.length)
  space.file('policy.json', policyOf({}))
  const [command, ...args] = COMMAND
  serve = () =>
    space.serve({
      servers: {
        http: { url },
        pipe: { command, args: [...args, 'stdio'] },
        legacy: { url, era: 'legacy' },
        modern: { url, era: 'modern' },
      },
      policies: { p: './policy.json' },
      grants: Object.fromEntries(
        Object.entries(TOKENS).map(([server, token]) => [server, { server, policy: 'p', token }]),
      ),
    })
  served = await serve()
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close().catch(() => {})))
  await space.close()
})

const policyOf = (tools: object): string => JSON.stringify({ version: '1', default: 'hide', tools })

let edits = 0
/** Edits the policy; resolves when the gateway has taken the edit in. */
async function edit(tools: object): Promise<void> {
  const swaps = (): number =>
    served.program.events.filter(({ event }) => event === 'config.swapped').length
  const before = swaps()
  // Another text every time, so that every edit is one.
  space.file('policy.json', policyOf(tools) + '\n'.repeat(++edits))
  await until(() => swaps() > before, 'the edit to be in force')
}
/** Shows these tools and no others. */
const show = (...tools: readonly string[]): Promise<void> =>
  edit(Object.fromEntries(tools.map((tool) => [tool, {}])))

const bearer = (server: keyof typeof TOKENS) => ({
  requestInit: { headers: { Authorization: `Bearer ${TOKENS[server]}` } },
})
const wrapped = (): StdioClientTransport => {
  const [command = '', ...cli] = SALLYPORT
  return new StdioClientTransport({
    command,
    args: [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir },
    cwd: space.path,
    stderr: 'ignore',
  })
}

/** The result of a list request. */
interface Listed {
  readonly tools: readonly { readonly name: string }[]
  readonly nextCursor?: string
}

interface Listing {
  readonly names: readonly string[]
  readonly nextCursor: string | undefined
}

/** A client of one generation and era, over one way, and what it was told. */
interface Party {
  readonly told: unknown[]
  list(cursor: string | undefined): Promise<Listing>
}

const modern = (transport: () => Parameters<Client['connect']>[0]) => async (): Promise<Party> => {
  const client = new Client(
    { name: 'modern', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  const told: unknown[] = []
  client.setNotificationHandler('notifications/tools/list_changed', () => void told.push('tools'))
  await client.connect(transport())
  clients.push(client)
  expect(client.getServerCapabilities()?.tools?.listChanged).toBe(true)
  const subscription = await client.listen({ toolsListChanged: true })
  clients.push(subscription)
  return { told, list: (cursor) => listing(client, cursor) }
}

const second = (transport: () => Parameters<Client['connect']>[0]) => async (): Promise<Party> => {
  const client = new Client({ name: 'second', version: '1' })
  const told: unknown[] = []
  client.setNotificationHandler('notifications/tools/list_changed', () => void told.push('tools'))
  await client.connect(transport())
  clients.push(client)
  expect(client.getServerCapabilities()?.tools?.listChanged).toBe(true)
  return { told, list: (cursor) => listing(client, cursor) }
}

type OldTransport = Parameters<OldClient['connect']>[0]

const streamable = (server: keyof typeof TOKENS) => () =>
  new OldHttp(new URL(served.mcp(server)), bearer(server)) as OldTransport

const overSse = (server: keyof typeof TOKENS) => () => {
  const { headers } = bearer(server).requestInit
  return new SSEClientTransport(new URL(`${served.mcp(server)}/sse`), {
    requestInit: { headers },
    eventSourceInit: {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...headers } }),
    },
  })
}

const first = (transport: () => OldTransport) => async (): Promise<Party> => {
  const client = new OldClient({ name: 'first', version: '1' })
  const told: unknown[] = []
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told.push('tools'))
  await client.connect(transport())
  clients.push(client)
  return { told, list: (cursor) => listing(client, cursor) }
}

async function listing(client: Client | OldClient, cursor: string | undefined): Promise<Listing> {
  const { tools, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor })
  return { names: tools.map(({ name }) => name), nextCursor }
}

const overHttp = (server: keyof typeof TOKENS) => () =>
  new StreamableHTTPClientTransport(new URL(served.mcp(server)), bearer(server))

/** All pages, as an honest client reads them: an empty page is the end. */
async function readThrough({ list }: Party): Promise<readonly string[]> {
  const names: string[] = []
  for (let cursor: string | undefined, page = 0; page < 20; page += 1) {
    const found = await list(cursor)
    if (found.names.length === 0) break
    names.push(...found.names)
    cursor = found.nextCursor
    if (cursor === undefined) break
  }
  return names
}

describe.each([
  ['a modern client over HTTP of an HTTP server', modern(overHttp('http'))],
  ['a modern client over HTTP of a stdio server', modern(overHttp('pipe'))],
  ['a modern client over stdio', modern(wrapped)],
  ['a client of SDK 2 with a session at an HTTP server', second(overHttp('http'))],
  ['a client of SDK 2 with a session at a stdio server', second(overHttp('pipe'))],
  ['a client of SDK 2 over stdio', second(wrapped)],
  ['a modern client of a server with sessions', modern(overHttp('legacy'))],
  ['a client with a session of a stateless server', second(overHttp('modern'))],
  ['a client of SDK 1 at an HTTP server', first(streamable('http'))],
  ['a client of SDK 1 at a stdio server', first(streamable('pipe'))],
  ['a client over HTTP+SSE of an HTTP server', first(overSse('http'))],
  ['a client over HTTP+SSE of a stdio server', first(overSse('pipe'))],
] as const)('%s', (_, join) => {
  test('reads every page of what it may see, and is told when an edit changes that, and only then', async () => {
    await show('tool-05', 'tool-06', 'tool-11')
    const party = await join()
    expect(await readThrough(party)).toEqual(['tool-05', 'tool-06', 'tool-11'])
    // Another policy, which hides the same.
    await edit({ 'tool-05': {}, 'tool-06': { require: [] }, 'tool-11': {}, 'no-such-tool': {} })
    await show('tool-00')
    await until(() => party.told.length > 0, 'the client to be told')
    expect(await readThrough(party)).toEqual(['tool-00'])
    expect(party.told).toEqual(['tools'])
  })
})

test('what stays of a list is passed on with all that is in it', async () => {
  await show('tool-05')
  const client = new Client(
    { name: 'raw', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(overHttp('http')())
  clients.push(client)
  expect((await client.listTools()).tools).toEqual([
    {
      name: 'tool-05',
      title: 'TOOL-05',
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object', properties: { n: { type: 'number' } } },
      icons: [{ src: 'https://example.com/i.png', sizes: ['48x48'] }],
      _meta: { ui: { resourceUri: 'ui://tool-05' } },
    },
  ])
})

test('a cursor is good for its grant, server and list, and outlives the gateway', async () => {
  await show('tool-05', 'tool-11')
  const at = (server: keyof typeof TOKENS, token = TOKENS[server]) =>
    new BareClient(served.mcp(server), token)
  const page = (answer: Answer) => answer.message.result as unknown as Listed | undefined
  const first = page(await at('http').request('tools/list'))
  expect(first?.tools.map(({ name }) => name)).toEqual(['tool-05'])
  expect(first).toMatchObject({ cacheScope: 'private', ttlMs: 0 })
  const cursor = first?.nextCursor ?? ''
  for (const refused of [
    await at('modern').request('tools/list', { cursor }),
    await at('http').request('prompts/list', { cursor }),
    await at('http').request('tools/list', { cursor: `${cursor}x` }),
    // The server's own cursors are not a client's to use.
    await at('http').request('tools/list', { cursor: '' }),
    await at('http').request('tools/list', { cursor: '6' }),
  ]) {
    expect(refused.status).toBe(200)
    expect(refused.message.error).toMatchObject({ code: -32602, data: { code: 'cursor_unknown' } })
  }
  served.program.kill('SIGKILL')
  await served.program.ended()
  served = await serve()
  const last = page(await at('http').request('tools/list', { cursor }))
  expect(last?.tools.map(({ name }) => name)).toEqual(['tool-11'])
  expect(last?.nextCursor).toBeUndefined()
})
