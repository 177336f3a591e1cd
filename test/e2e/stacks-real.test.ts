import { copyFileSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewHttp,
} from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolResult } from '../fakes/mcp-http.ts'
import type { Program } from '../fakes/program.ts'
import { Space } from '../fakes/space.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const TOKENS = { desk: 'stacks-real-token-of-desk', reader: 'stacks-real-token-of-reader' }

const space = new Space()
let program: Program
let url: URL
beforeAll(async () => {
  const folder = join(space.path, 'folder')
  mkdirSync(join(folder, 'drafts'), { recursive: true })
  copyFileSync(join(root, 'LICENSE'), join(folder, 'license.txt'))
  program = space.start(
    ['serve', '--config', join(root, 'examples/stack/sallyport.yaml'), '--port', '0'],
    {
      env: {
        PATH: [join(root, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter),
        STACK_FOLDER: folder,
        STACK_MEMORY: join(space.path, 'memory.jsonl'),
        STACK_TOKEN: TOKENS.desk,
        STACK_READER_TOKEN: TOKENS.reader,
      },
    },
  )
  const line = await program.line('sallyport listening on ')
  url = new URL(`${line.slice('sallyport listening on '.length)}/stacks/desk`)
})
afterAll(() => space.close())

type Party = Pick<
  OldClient,
  | 'listTools'
  | 'listPrompts'
  | 'listResources'
  | 'listResourceTemplates'
  | 'readResource'
  | 'getPrompt'
  | 'close'
> & { call(name: string, args?: Record<string, unknown>): Promise<ToolResult> }

const CLIENT = { name: 'real', version: '1' }
const withToken = (token: string) => ({
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
})

async function old(token = TOKENS.desk): Promise<Party> {
  const client = new OldClient(CLIENT, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
  await client.connect(new OldHttp(url, withToken(token)) as never)
  return Object.assign(client, {
    call: async (name: string, args = {}) =>
      (await client.callTool({ name, arguments: args })) as ToolResult,
  })
}
const recent =
  (mode: object) =>
  async (token = TOKENS.desk): Promise<Party> => {
    const client = new NewClient(CLIENT, mode)
    await client.connect(new NewHttp(url, withToken(token)))
    return Object.assign(client, {
      call: async (name: string, args = {}) =>
        (await client.callTool({ name, arguments: args })) as unknown as ToolResult,
    }) as unknown as Party
  }
const modern = recent({ versionNegotiation: { mode: { pin: '2026-07-28' } } })

describe.each([
  ['the first SDK, with sessions', old],
  ['the second SDK, with sessions', recent({})],
  ['the second SDK, without sessions', modern],
] as const)('three real servers as one, for %s', (_, connect) => {
  let client: Party
  beforeAll(async () => {
    client = await connect()
  })
  afterAll(() => client.close())
  const text = (result: ToolResult) => result.content?.[0]?.text ?? ''

  test('every server is there, under its own policy', async () => {
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect([...new Set(names.map((name) => name.split('__')[0]))]).toEqual([
      'files',
      'memory',
      'everything',
    ])
    expect(names).toContain('files__read_text_file')
    expect(names).toContain('memory__read_graph')
    expect(names).not.toContain('files__move_file')
    expect(names).not.toContain('everything__get-env')
  })

  test('calls reach their server, and no other', async () => {
    const read = await client.call('files__read_text_file', { path: 'license.txt' })
    expect(text(read)).toContain('Copyright')
    expect(text(await client.call('memory__read_graph'))).toContain('entities')
    expect(text(await client.call('everything__echo', { message: 'hé' }))).toContain('hé')
    const denied = await client.call('files__write_file', { path: 'notes.md', content: '' })
    expect([denied.isError, text(denied)]).toEqual([
      true,
      '[POLICY DENIED] this agent writes only .md and .txt files in drafts/',
    ])
    const sum = await client.call('everything__get-sum', { a: 2_000, b: 1 })
    expect(text(sum)).toContain('this agent adds numbers up to 1000')
    await expect(client.call('files__move_file')).rejects.toThrow('Unknown tool: files__move_file')
  })

  test('resources and prompts are those of the server that has them', async () => {
    const uris = (await client.listResources()).resources.map(({ uri }) => uri)
    const uri = uris.find((one) => one.startsWith('everything+demo:')) ?? 'none'
    expect(uris.every((one) => /^(everything|memory)\+/.test(one))).toBe(true)
    await expect(client.readResource({ uri: 'memory+memory://knowledge-graph' })).rejects.toThrow(
      '[POLICY DENIED]',
    )
    const { contents } = await client.readResource({ uri })
    expect(contents[0]?.uri).toBe(uri)
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates[0]?.uriTemplate).toMatch(/^everything\+demo:/)
    const { prompts } = await client.listPrompts()
    const simple = prompts.find(({ name }) => name === 'everything__simple-prompt')
    expect((await client.getPrompt({ name: simple?.name ?? '' })).messages.length).toBeGreaterThan(
      0,
    )
  })

  test('a server that is killed loses its own calls alone, and comes back', async () => {
    await client.call('memory__read_graph')
    const started = program.events.filter(
      (e) => e.event === 'upstream.started' && e.upstream === 'memory',
    )
    process.kill(Number(started.at(-1)?.pid), 'SIGKILL')
    expect(text(await client.call('everything__echo', { message: 'on' }))).toContain('on')
    const read = await client.call('files__read_text_file', { path: 'license.txt' })
    expect(read.isError).not.toBe(true)
    await expect
      .poll(() => client.call('memory__read_graph').then(text, () => ''), { timeout: 15_000 })
      .toContain('entities')
  })
})

test('a grant with a policy for one server has that server alone', async () => {
  const client = await modern(TOKENS.reader)
  const names = (await client.listTools()).tools.map(({ name }) => name)
  expect(names.length).toBeGreaterThan(0)
  expect(names.every((name) => name.startsWith('memory__'))).toBe(true)
  const denied = await client.call('files__read_text_file', { path: 'license.txt' })
  expect(JSON.stringify(denied)).toContain('(no policy)')
  await client.close()
})
