import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openScriptedSseServer, type SseServer } from '../fakes/scripted-sse-server.ts'
import { type Served, Space } from '../fakes/space.ts'
import { SseClient } from '../fakes/sse-client.ts'
import { SCRIPTED } from '../fakes/stdio-upstream.ts'
import { until } from '../fakes/until.ts'

/** What happens over HTTP+SSE when something else happens: an edit, a stop, a restart. */
const TOKENS = { pipe: 'sse-token-of-pipe-0', old: 'sse-token-of-old-0' }
const allow = { action: 'allow' }
const TOOLS = { line: allow, silent: allow, die: allow, postponed: allow }
const OPEN = { version: '1', default: 'deny', tools: TOOLS }

let space: Space
let server: SseServer
let config: object
let served: Served
const clients: SseClient[] = []
beforeEach(async () => {
  space = new Space()
  server = await openScriptedSseServer()
  space.later(() => server.close())
  space.file('policy.json', OPEN)
  config = {
    servers: {
      pipe: { command: process.execPath, args: [SCRIPTED] },
      old: { url: server.url },
    },
    policies: { p: './policy.json' },
    grants: {
      pipe: { server: 'pipe', policy: 'p', token: TOKENS.pipe },
      old: { server: 'old', policy: 'p', token: TOKENS.old },
    },
  }
  served = await space.serve(config)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await space.close()
})

const clientOf = (name: keyof typeof TOKENS): SseClient => {
  const client = new SseClient(`${served.mcp(name)}/sse`, TOKENS[name])
  clients.push(client)
  return client
}
const text = (id: string, name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } })

describe.each(['pipe', 'old'] as const)('a client over HTTP+SSE, of the server `%s`', (name) => {
  test('is held to a policy from the moment of its edit', async () => {
    const client = await clientOf(name).initialize()
    expect((await client.call('line')).result?.content?.[0]?.text).toContain('tools/call')
    space.file('policy.json', {
      ...OPEN,
      tools: { ...TOOLS, line: { action: 'deny', reason: 'no more' } },
    })
    await served.program.event('config.swapped')
    expect((await client.call('line')).result?.content?.[0]?.text).toBe('[POLICY DENIED] no more')
  })

  test('loses its stream with its grant', async () => {
    const client = await clientOf(name).initialize()
    await client.post(text('s', 'silent'))
    space.file('sallyport.yaml', { version: 1, ...config, grants: {} })
    await until(() => client.isOver, 'the stream to end')
    expect((await client.post(text('t', 'line'))).status).toBe(401)
  })

  test('is known no more after a restart, and begins anew', async () => {
    const client = await clientOf(name).initialize()
    served.program.kill('SIGTERM')
    expect(await served.program.ended()).toMatchObject({ code: 0 })
    await until(() => client.isOver, 'the stream to end')
    served = await space.serve(config)
    const url = new URL(client.endpoint)
    url.port = new URL(served.url).port
    expect((await client.post(text('t', 'line'), { to: url })).status).toBe(404)
    expect((await (await clientOf(name).initialize()).call('line')).result).toBeDefined()
  })
})

test('a server over HTTP+SSE that breaks off fails what it had, once, and serves the next session', async () => {
  const client = await clientOf('old').initialize()
  await client.post(text('waiting', 'silent'))
  await client.post(text('dying', 'die'))
  for (const id of ['waiting', 'dying'])
    expect((await client.answer(id)).error?.data?.code).toBe('upstream_lost')
  expect((await client.call('line')).error?.data?.code).toBe('session_unknown')
  expect((await (await clientOf('old').initialize()).call('line')).result).toBeDefined()
  expect(client.messages.filter(({ id }) => id === 'dying')).toHaveLength(1)
})

test('a stop lets a call over HTTP+SSE end', async () => {
  const client = await clientOf('pipe').initialize()
  const { length } = client.messages
  await client.post(text('late', 'postponed'))
  // The server answers `late` once it has answered something else: both are in flight at the stop.
  await client.post(text('next', 'line'))
  served.program.kill('SIGTERM')
  expect(await served.program.ended()).toMatchObject({ code: 0 })
  await until(() => client.isOver, 'the stream to end')
  expect(client.messages.slice(length).map(({ id }) => id)).toContain('next')
})
