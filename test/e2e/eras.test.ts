import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BareClient } from '../fakes/mcp-http.ts'
import type { Program } from '../fakes/program.ts'
import { freePort } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

/** Which eras a server speaks is found out, also when another server takes its place. */
const SERVER = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
const TOKENS = { auto: 'eras-token-of-auto-1', wrong: 'eras-token-of-wrong-1' }

const space = new Space()
let served: Served
let port = 0
let running: Program | undefined

/** Ends the server, if one runs, and puts another one in its place. */
async function replaceBy(eras: 'legacy' | 'modern' | 'both'): Promise<void> {
  running?.kill('SIGKILL')
  await running?.ended()
  const flags = ['--disable-warning=ExperimentalWarning', SERVER]
  running = space.startOther([process.execPath, ...flags, '--port', `${port}`, '--eras', eras])
  await running.line('listening on ')
}

beforeAll(async () => {
  port = await freePort()
  const url = `http://127.0.0.1:${port}/mcp`
  space.file('policy.json', { version: '1', default: 'allow' })
  served = await space.serve({
    servers: { auto: { url }, wrong: { url, era: 'modern' } },
    policies: { p: './policy.json' },
    grants: Object.fromEntries(
      Object.entries(TOKENS).map(([server, token]) => [server, { server, policy: 'p', token }]),
    ),
  })
})
afterAll(() => space.close())

const stateless = (server: keyof typeof TOKENS): BareClient =>
  new BareClient(served.mcp(server), TOKENS[server])

const called = async (): Promise<boolean> => {
  const { message } = await stateless('auto').call('test_simple_text')
  return message.result?.content?.[0] !== undefined
}

/** A client with sessions calls a tool; what it is told of the server's version. */
async function session(server: keyof typeof TOKENS): Promise<string | undefined> {
  const client = new Client({ name: 'sessions', version: '1' }, { capabilities: {} })
  const transport = new StreamableHTTPClientTransport(new URL(served.mcp(server)), {
    requestInit: { headers: { Authorization: `Bearer ${TOKENS[server]}` } },
  })
  await client.connect(transport)
  await client.callTool({ name: 'test_simple_text', arguments: {} })
  const version = client.getNegotiatedProtocolVersion()
  await client.close()
  return version
}

const speaks = (): readonly unknown[] =>
  served.program.events.filter(({ event }) => event === 'upstream.probed').map((e) => e.speaks)

/** Tries until it works: clients do not know that the server was replaced, and try again. */
async function eventually(works: () => Promise<boolean>): Promise<void> {
  let state: 'idle' | 'trying' | 'works' = 'idle'
  const attempt = async (): Promise<void> => {
    state = 'trying'
    state = (await works()) ? 'works' : 'idle'
  }
  await until(
    () => {
      if (state === 'idle') void attempt()
      return state === 'works'
    },
    'a call that works',
    20_000,
  )
}

describe.each([
  ['legacy', 'modern'],
  ['modern', 'legacy'],
  ['legacy', 'both'],
] as const)('a server that is %s, and then %s', (before, after) => {
  test('serves clients of both eras before and after', async () => {
    await replaceBy(before)
    await eventually(called)
    expect(await session('auto')).toBe('2025-11-25')
    await replaceBy(after)
    await eventually(called)
    expect(await session('auto')).toBe('2025-11-25')
  }, 60_000)
})

test('what was learned is in the log, once for each time that it was asked', () => {
  expect(speaks().length).toBeGreaterThan(1)
  for (const one of speaks()) expect(['modern', 'legacy']).toContain(one)
})

test('a stateless client has no `ping`, and no stream to come back to', async () => {
  await replaceBy('modern')
  await eventually(called)
  const { status, message } = await stateless('auto').request('ping')
  expect(status).toBe(404)
  expect(message.error?.code).toBe(-32601)
  const headers = { authorization: `Bearer ${TOKENS.auto}`, 'last-event-id': '1' }
  const accept = { accept: 'text/event-stream' }
  const { status: refused } = await fetch(served.mcp('auto'), {
    headers: { ...headers, ...accept },
  })
  expect(refused).toBe(405)
})

test('a server of a pinned era gets nothing but what its clients send, in that era', async () => {
  await replaceBy('legacy')
  const before = speaks().length
  const { message } = await stateless('wrong').call('test_simple_text')
  expect(message.error).toBeDefined()
  expect(speaks().length).toBe(before)
})
