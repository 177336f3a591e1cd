import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, test } from 'vitest'
import { until } from '../../../test/fakes/until.ts'

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const GATEWAY = fromHere('../../../test/fakes/stdio-gateway.ts')
const serverFile = (name: string): string =>
  fromHere(`../../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`)

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const openFolder = async (): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-')))
  opened.push(() => rm(folder, { recursive: true }))
  return folder
}

/** The official client, through the gateway, to one of the reference servers. */
async function connect(
  name: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> },
) {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
  )
  const errors: Error[] = []
  client.onerror = (error) => errors.push(error)
  const logged: unknown[] = []
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logged.push(params.data)
  })
  client.setRequestHandler(ListRootsRequestSchema, () => ({
    roots: [{ uri: 'file:///somewhere', name: 'a root' }],
  }))
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'sampled by the client' },
  }))
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [GATEWAY, process.execPath, serverFile(name), ...args],
    env: { ...process.env, SERVER_ENVIRONMENT: JSON.stringify(env) } as Record<string, string>,
    stderr: 'ignore',
  })
  await client.connect(transport)
  opened.push(() => client.close())
  return { client, errors, logged }
}

describe('the reference servers through the gateway over stdio', () => {
  test('everything: tools, prompts, resources, progress, sampling, roots', async () => {
    const { client, errors } = await connect('everything', { args: ['stdio'] })
    const { tools } = await client.listTools()
    expect(tools.length).toBeGreaterThan(5)
    expect(await client.callTool({ name: 'echo', arguments: { message: 'hé 😀' } })).toMatchObject({
      content: [{ text: 'Echo: hé 😀' }],
    })
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0)
    expect((await client.listResources()).resources.length).toBeGreaterThan(0)

    const seen: number[] = []
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 4 } },
      undefined,
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    // The client drops what it reads together with the answer, so the last one may be missing.
    expect(seen.slice(0, 3)).toEqual([1, 2, 3])

    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'p', maxTokens: 10 },
    })
    expect(JSON.stringify(sampled)).toContain('sampled by the client')
    const roots = await client.callTool({ name: 'get-roots-list', arguments: {} })
    expect(JSON.stringify(roots)).toContain('a root')
    // Of a progress and an answer that it reads together, the client takes the answer first, and then
    // complains of the progress.
    const late = /progress notification for an unknown token/
    expect(errors.filter(({ message }) => !late.test(message))).toEqual([])
  })

  test('everything: messages that belong to no request arrive', async () => {
    const { client, logged } = await connect('everything', { args: ['stdio'] })
    await client.setLoggingLevel('debug')
    await client.callTool({ name: 'toggle-simulated-logging', arguments: {} })
    await until(() => logged.length > 0, 'a log message', 12_000)
  }, 20_000)

  test('filesystem: a file is read in the folder that the server was given', async () => {
    const folder = await openFolder()
    await writeFile(join(folder, 'a.txt'), 'one line\nanother')
    const { client, errors } = await connect('filesystem', { args: [folder] })
    const read = await client.callTool({
      name: 'read_text_file',
      arguments: { path: join(folder, 'a.txt') },
    })
    expect(read).toMatchObject({ content: [{ text: 'one line\nanother' }] })
    expect(errors).toEqual([])
  })

  test('memory: what was written is read again in the same session', async () => {
    const env = { MEMORY_FILE_PATH: join(await openFolder(), 'memory.jsonl') }
    const { client, errors } = await connect('memory', { env })
    const entity = { name: 'kept', entityType: 'test', observations: [] }
    await client.callTool({ name: 'create_entities', arguments: { entities: [entity] } })
    const found = await client.callTool({ name: 'open_nodes', arguments: { names: ['kept'] } })
    expect(JSON.stringify(found)).toContain('kept')
    expect(errors).toEqual([])
  })
})
