import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { REQUEST_METHODS } from '../../src/core/mcp/revisions.ts'
import { BareClient, eventsOf, lastOf, type Message } from '../fakes/mcp-http.ts'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import { DENIED_URI, type Sent, serveSecretive } from '../fakes/secretive-server.ts'
import { type Served, Space } from '../fakes/space.ts'

const SERVER = fileURLToPath(new URL('../fakes/secretive-server.ts', import.meta.url))
const TOKENS = { http: 'side-door-token-of-http-1', pipe: 'side-door-token-of-pipe-1' }

const space = new Space()
const file = join(space.path, 'got.jsonl')
const overHttp: Sent[] = []
let served: Served

/** Every message that a server got, whichever it is. */
const got = (): readonly Sent[] => [
  ...overHttp,
  ...(existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sent),
]

beforeAll(async () => {
  const { url, server } = await serveSecretive(overHttp)
  space.later(() => server.close())
  space.file('policy.json', {
    version: '1',
    default: 'deny',
    hide: ['secret_hidden'],
    tools: { open: {}, slow: {}, shown: {}, secret_denied: { action: 'deny' } },
    prompts: { default: 'deny', hide: ['secret_hidden'], allow: ['open'], approve: ['asks_*'] },
    resources: {
      default: 'allow',
      deny: ['file:///secret/*'],
      hide: ['file:///hidden/*'],
      approve: ['file:///asks/*'],
    },
  })
  served = await space.serve({
    servers: {
      http: { url, era: 'both' },
      pipe: {
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', SERVER, file],
        era: 'both',
      },
    },
    policies: { p: './policy.json' },
    grants: {
      http: { server: 'http', policy: 'p', token: TOKENS.http },
      pipe: { server: 'pipe', policy: 'p', token: TOKENS.pipe },
    },
  })
})
afterAll(() => space.close())

type Params = Record<string, unknown>

/** One client of one era; the text of everything that came back for a request. */
interface Caller {
  ask(method: string, params: Params): Promise<{ text: string; message: Message }>
}

const CAPABILITIES = { extensions: { 'io.modelcontextprotocol/tasks': {} } }

function modern(server: keyof typeof TOKENS): Caller {
  const client = new BareClient(served.mcp(server), TOKENS[server])
  return {
    ask: async (method, params) => {
      const name = params.name ?? params.uri ?? params.taskId
      const _meta = { 'io.modelcontextprotocol/clientCapabilities': CAPABILITIES }
      const response = await fetch(client.url, {
        method: 'POST',
        headers: client.headers(method, typeof name === 'string' ? name : undefined),
        body: client.body(method, { ...params, _meta }),
      })
      const text = await response.text()
      return { text, message: lastOf(text) }
    },
  }
}

async function legacy(server: keyof typeof TOKENS): Promise<Caller> {
  let session: string | undefined
  let id = 0
  const ask: Caller['ask'] = async (method, params) => {
    const response = await fetch(served.mcp(server), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKENS[server]}`,
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
    })
    session ??= response.headers.get('mcp-session-id') ?? undefined
    const text = await response.text()
    return { text, message: lastOf(text) }
  }
  await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  })
  return { ask }
}

async function wrapped(): Promise<Caller> {
  const talk = new StdioTalk(
    space.start(['wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', 'http']),
  )
  await talk.initialize()
  return {
    ask: async (method, params) => {
      const before = talk.messages.length
      const message = await talk.request(method, params)
      const text = talk.messages
        .slice(before)
        .map((m) => `data: ${JSON.stringify(m)}`)
        .join('\n\n')
      return { text, message }
    },
  }
}

/** Every way to name what the policy denies or hides, in every method that could reach it. */
const SPELLINGS = [
  DENIED_URI,
  'FILE:///secret/passwd',
  'file:/secret/passwd',
  'file://localhost/secret/passwd',
  'file:////secret//passwd',
  'file:///%73ecret/passwd',
  'file:///./secret/passwd',
  'file:///open/../secret/passwd',
  'file:///open/%2e%2e/secret/passwd',
  'file:///open%2f..%2fsecret/passwd',
  'file:///secret\\passwd',
  'file:///secret/passwd?x#y',
  'file:///%2573ecret/passwd',
  `file:///secret/${'x'.repeat(2000)}`,
  'file:///hidden/secret',
  'file:///asks/secret',
  'ui://secret/page',
  'UI://Secret/page',
]
const task = (taskId: string): Params => ({ taskId })
const DOORS: Readonly<Record<string, readonly Params[]>> = {
  'tools/call': ['secret_denied', 'secret_hidden', 'secret_unknown'].flatMap((name) => [
    { name, arguments: {} },
    { name, arguments: {}, task: { ttl: 1000 } },
    { name, arguments: {}, requestState: 'secret', inputResponses: { a: { action: 'accept' } } },
  ]),
  'prompts/get': ['secret_denied', 'secret_hidden', 'secret_unknown', 'asks_secret'].map(
    (name) => ({ name }),
  ),
  'resources/read': SPELLINGS.map((uri) => ({ uri })),
  'resources/subscribe': SPELLINGS.map((uri) => ({ uri })),
  'resources/unsubscribe': SPELLINGS.map((uri) => ({ uri })),
  'completion/complete': [
    ...['secret_denied', 'secret_hidden'].map((name) => ({ type: 'ref/prompt', name })),
    ...[...SPELLINGS, 'file:///secret/{name}'].map((uri) => ({ type: 'ref/resource', uri })),
  ].map((ref) => ({ ref, argument: { name: 'a', value: 's' } })),
  'tasks/get': ['task-of-secret', 'task-of-another'].map(task),
  'tasks/result': ['task-of-secret', 'task-of-another'].map(task),
  'tasks/cancel': ['task-of-secret', 'task-of-another'].map(task),
  'tasks/update': ['task-of-secret', 'task-of-another'].map((id) => ({
    ...task(id),
    inputResponses: {},
  })),
  'secret/method': [{ name: 'open' }],
  'Tools/call': [{ name: 'secret_denied' }],
  'resources/read ': [{ uri: DENIED_URI }],
}
/** Methods that reach no object by name: lists are held below. */
const NO_DOORS = [
  ...['initialize', 'ping', 'logging/setLevel', 'server/discover', 'subscriptions/listen'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'tasks/list'],
]

test('every method of both eras is in the table', () => {
  const all = [...REQUEST_METHODS.legacy, ...REQUEST_METHODS.modern]
  expect(all.filter((m) => DOORS[m] === undefined && !NO_DOORS.includes(m))).toEqual([])
})

const callers = [
  ['a stateless client over HTTP, to a server over HTTP', async () => modern('http')],
  ['a client with a session over HTTP, to a server over HTTP', () => legacy('http')],
  ['a stateless client over HTTP, to a process', async () => modern('pipe')],
  ['a client with a session over HTTP, to a process', () => legacy('pipe')],
  ['a client over stdio, to a server over HTTP', () => wrapped()],
] as const

describe.each(callers)('%s', (_, connect) => {
  let caller: Caller
  beforeAll(async () => {
    caller = await connect()
    // What the gateway asks of its own is asked before: lists, and what they are for.
    await caller.ask('tools/list', {})
  })
  beforeEach(() => {
    overHttp.length = 0
    rmSync(file, { force: true })
  })

  test.each(Object.entries(DOORS))('%s reaches nothing that is denied', async (method, doors) => {
    for (const params of doors) {
      const { message } = await caller.ask(method, params)
      expect(message.result?.isError ?? message.error !== undefined, JSON.stringify(params)).toBe(
        true,
      )
    }
    expect(got().filter((m) => m.method === method)).toEqual([])
  })

  test('what is allowed is reached, as it was asked for', async () => {
    for (const [method, params] of [
      ['tools/call', { name: 'open', arguments: { a: 1 } }],
      ['prompts/get', { name: 'open' }],
      ['resources/read', { uri: 'file:///open/a' }],
      ['resources/read', { uri: 'FILE:///open/%41' }],
      ['resources/read', { uri: 'ui://open/page' }],
      [
        'completion/complete',
        { ref: { type: 'ref/prompt', name: 'open' }, argument: { name: 'a', value: '' } },
      ],
    ] as const) {
      const { message } = await caller.ask(method, params)
      expect(message.result?.content?.[0]?.text, JSON.stringify(params)).toBe(`done ${method}`)
      expect(got().findLast((m) => m.method === method)?.params).toMatchObject(params)
    }
  })

  test.each([
    ['tools/list', ['open', 'slow', 'shown', 'secret_denied']],
    ['prompts/list', ['open', 'secret_denied']],
    ['resources/list', ['file:///open/a', DENIED_URI, 'ui://open/page']],
    ['resources/templates/list', ['file:///open/{name}']],
  ])('%s leaves out what is hidden', async (method, shown) => {
    const { text, message } = await caller.ask(method, {})
    for (const name of shown) expect(text).toContain(JSON.stringify(name))
    expect(text).not.toMatch(/secret_hidden|hidden\/secret|ui:\/\/secret/)
    expect(message.result).toBeDefined()
  })
})

describe('a stateless client', () => {
  const LISTEN = {
    notifications: {
      resourceSubscriptions: [
        'file:///open/a',
        DENIED_URI,
        'FILE:///secret/other',
        'file:///x/../secret',
      ],
      taskIds: ['task-of-secret'],
    },
  }

  test('is never subscribed to what it may not read, and is told nothing of it', async () => {
    overHttp.length = 0
    const { text } = await modern('http').ask('subscriptions/listen', LISTEN)
    const asked = overHttp.find((m) => m.method === 'subscriptions/listen')?.params?.notifications
    expect(asked).toEqual({ resourceSubscriptions: ['file:///open/a'], taskIds: [] })
    expect(text).toContain('file:///open/a')
    expect(text).not.toContain('secret')
    expect(eventsOf(text).length).toBeGreaterThan(1)
  })

  test('reaches the tasks of its own calls', async () => {
    const client = modern('http')
    const { message } = await client.ask('tools/call', { name: 'slow', arguments: {} })
    expect(message.result?.resultType).toBe('task')
    expect((await client.ask('tasks/get', { taskId: 'task-open' })).message.result).toBeDefined()
  })
})

describe('a client with a session', () => {
  test('is told nothing of what it may not read', async () => {
    const client = await legacy('http')
    const { text } = await client.ask('resources/subscribe', { uri: 'file:///open/a' })
    expect(eventsOf(text)).toHaveLength(2)
    expect(text).not.toContain('secret')
  })

  test('lists its own tasks alone', async () => {
    const client = await legacy('http')
    await client.ask('tools/call', { name: 'slow', arguments: {}, task: { ttl: 1000 } })
    const { message } = await client.ask('tasks/list', {})
    expect(message.result?.tasks).toEqual([{ taskId: 'task-open' }])
  })
})
