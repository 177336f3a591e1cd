import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BareClient, eventsOf, isForwarded, type Message } from '../fakes/mcp-http.ts'
import type { Program } from '../fakes/program.ts'
import { freePort } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const REFERENCE = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
const SMALL = fileURLToPath(new URL('../fakes/children/modern-server.ts', import.meta.url))
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']
const TOKENS = { work: 'degraded-stack-token-1', slow: 'degraded-stack-token-2' }

const space = new Space()
let served: Served
let ref: Program
let port: number
let client: BareClient
const startRef = async (): Promise<void> => {
  ref = space.startOther([...NODE, REFERENCE, '--eras', 'modern', '--port', String(port)])
  await ref.line('listening on ')
}
beforeAll(async () => {
  port = await freePort()
  await startRef()
  const mute = createServer(() => {})
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  space.later(() => {
    mute.closeAllConnections()
    mute.close()
  })
  const [command, ...args] = NODE
  space.file('p.json', { version: '1', default: 'allow' })
  served = await space.serve({
    servers: {
      ref: { url: `http://127.0.0.1:${port}/mcp` },
      pipe: { command, args: [...args, REFERENCE, '--stdio', '--eras', 'modern'] },
      small: { command, args: [...args, SMALL, 'stdio'] },
      mute: { url: `http://127.0.0.1:${(mute.address() as AddressInfo).port}/mcp`, era: 'modern' },
    },
    policies: { p: './p.json' },
    stacks: {
      work: { servers: ['ref', 'pipe', 'small'] },
      slow: { servers: ['mute', 'small'] },
    },
    grants: {
      work: { stack: 'work', policy: 'p', token: TOKENS.work },
      slow: { stack: 'slow', policy: 'p', token: TOKENS.slow },
    },
  })
  client = new BareClient(`${served.url}/stacks/work`, TOKENS.work)
})
afterAll(() => space.close())

interface ToolList {
  readonly tools: readonly { readonly name: string }[]
  readonly ttlMs: number
  readonly _meta?: Record<string, unknown>
}
const list = async (one = client): Promise<ToolList> =>
  (await one.request('tools/list')).message.result as unknown as ToolList
const serversIn = ({ tools }: ToolList) => [
  ...new Set(tools.map(({ name }) => name.split('__')[0])),
]
const MISSING = 'sallyport.dev/missing'

describe('a server that is killed', () => {
  test('takes away its own tools alone, and brings them back', async () => {
    expect(serversIn(await list())).toEqual(['ref', 'pipe', 'small'])
    const controller = new AbortController()
    const params = { notifications: { toolsListChanged: true } }
    const stream = await client.open('subscriptions/listen', params, controller.signal)
    let heard = ''
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) heard += Buffer.from(chunk).toString()
    })().catch(() => {})
    const changes = () =>
      eventsOf(heard)
        .map((data) => (JSON.parse(data) as Message).method)
        .filter((method) => method === 'notifications/tools/list_changed').length
    await until(() => heard.includes('acknowledged'), 'the acknowledgement')
    // A call of another server is under way all the while.
    const held = client.call('small__hold')
    ref.kill('SIGKILL')
    await ref.ended()

    const degraded = await list()
    expect(serversIn(degraded)).toEqual(['pipe', 'small'])
    expect(degraded).toMatchObject({ ttlMs: 0, _meta: { [MISSING]: ['ref'] } })
    const lost = await client.call('ref__test_simple_text')
    expect(lost.status).toBe(502)
    expect(lost.message.error?.data?.code).toMatch(/^upstream_(unreachable|lost)$/)
    expect(isForwarded(await client.call('pipe__test_simple_text'))).toBe(true)
    expect(isForwarded(await client.call('small__echo', { text: 'x' }))).toBe(true)
    const { result } = (await client.request('server/discover')).message
    expect(result).toMatchObject({ capabilities: { prompts: {}, resources: {} } })
    const prompts = await client.request('prompts/list')
    expect(prompts.message.result?._meta).toEqual({ [MISSING]: ['ref'] })
    const told = served.program.events.filter(({ event }) => event === 'stack.degraded')
    expect(told).toMatchObject([{ upstream: 'ref' }])

    await startRef()
    await expect.poll(async () => serversIn(await list()), { timeout: 10_000 }).toContain('ref')
    expect(isForwarded(await client.call('ref__test_simple_text'))).toBe(true)
    await served.program.event('stack.recovered', ({ upstream }) => upstream === 'ref')
    await until(() => changes() > 0, 'the client to be told')
    await client.call('small__release')
    expect(isForwarded(await held)).toBe(true)
    controller.abort()
    await reading
  })

  test('in the middle of its own call fails that call, and no other', async () => {
    await client.call('small__echo', { text: 'x' })
    const pids = () =>
      served.program.events.filter((e) => e.event === 'upstream.started' && e.upstream === 'small')
    const pid = Number(pids().at(-1)?.pid)
    const doomed = client.open('tools/call', {
      name: 'small__hold',
      arguments: {},
      _meta: { progressToken: 1 },
    })
    const response = await doomed
    const reader = response.body?.getReader()
    await reader?.read()
    const other = client.call('pipe__test_tool_with_progress')
    process.kill(pid, 'SIGKILL')
    let rest = ''
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true }
      if (done) break
      rest += Buffer.from(value).toString()
    }
    expect(JSON.parse(eventsOf(rest).at(-1) ?? '{}')).toMatchObject({
      error: { data: { code: 'upstream_lost' } },
    })
    expect(isForwarded(await other)).toBe(true)
    await expect
      .poll(async () => isForwarded(await client.call('small__echo', { text: 'x' })), {
        timeout: 10_000,
      })
      .toBe(true)
  })
})

test('a server that never answers holds the others up once, then hardly', async () => {
  const slow = new BareClient(`${served.url}/stacks/slow`, TOKENS.slow)
  const took = async (): Promise<number> => {
    const at = performance.now()
    expect(await list(slow)).toMatchObject({ _meta: { [MISSING]: ['mute'] } })
    return performance.now() - at
  }
  expect(await took()).toBeLessThan(15_000)
  expect(await took()).toBeLessThan(5_000)
  const at = performance.now()
  expect(isForwarded(await slow.call('small__echo', { text: 'x' }))).toBe(true)
  expect(performance.now() - at).toBeLessThan(1_000)
})
