import { fileURLToPath } from 'node:url'
import { StreamableHTTPClientTransport as NewHttp } from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connectNew, connectOld, type Party, textOf, type Way } from '../fakes/party.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { freePort } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const EVERYTHING = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
    import.meta.url,
  ),
)
const TOKENS = { pipe: 'clients-token-of-pipe-1', http: 'clients-token-of-http-1' }
const POLICY = {
  version: '1',
  default: 'allow',
  hide: ['get-env'],
  tools: {
    'get-sum': {
      deny_if: [
        { conditions: [{ path: 'args.a', op: 'gt', value: 100 }], on_deny: 'only small sums' },
      ],
    },
    'get-tiny-image': { action: 'deny', reason: 'no images' },
  },
}

const space = new Space()
let served: Served
beforeAll(async () => {
  const port = await freePort()
  const http = space.startOther([process.execPath, EVERYTHING, 'streamableHttp'], {
    env: { PORT: String(port) },
  })
  await until(() => http.err.includes('listening on port'), 'the server to listen')
  space.file('policy.json', POLICY)
  served = await space.serve({
    servers: {
      pipe: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      http: { url: `http://127.0.0.1:${port}/mcp` },
    },
    policies: { p: './policy.json' },
    grants: {
      pipe: { server: 'pipe', policy: 'p', token: TOKENS.pipe },
      http: { server: 'http', policy: 'p', token: TOKENS.http },
    },
  })
})
/** The SDK gives a process that it ends two seconds: all of them at once. */
const closing: Promise<void>[] = []
afterAll(async () => {
  await Promise.all(closing)
  await space.close()
})

const viaServe = (server: keyof typeof TOKENS): Way => {
  let heard: (isHeard: boolean) => void = () => {}
  const listening = new Promise<boolean>((resolve) => {
    heard = resolve
  })
  const options = {
    requestInit: { headers: { Authorization: `Bearer ${TOKENS[server]}` } },
    fetch: async (url: string | URL, init?: RequestInit): Promise<Response> => {
      const response = await fetch(url, init)
      if (init?.method === 'GET') heard(true)
      return response
    },
  }
  return {
    first: () => new OldHttp(new URL(served.mcp(server)), options),
    second: () => new NewHttp(new URL(served.mcp(server)), options),
    listening,
  }
}

const viaWrap = (name: string): Way => {
  const [command = '', ...cli] = SALLYPORT
  const args = [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', name]
  const env = { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir }
  const options = { command, args, env, cwd: space.path, stderr: 'ignore' as const }
  return {
    first: () => new OldStdio(options),
    second: () => new NewStdio(options),
    listening: Promise.resolve(name === 'pipe'),
  }
}

const matrix: readonly (readonly [string, (who: string) => Promise<Party>])[] = [
  ['SDK 1 over HTTP to a stdio server', (who) => connectOld(viaServe('pipe'), who)],
  ['SDK 2 over HTTP to a stdio server', (who) => connectNew(viaServe('pipe'), who)],
  ['SDK 1 over HTTP to an HTTP server', (who) => connectOld(viaServe('http'), who)],
  ['SDK 2 over HTTP to an HTTP server', (who) => connectNew(viaServe('http'), who)],
  ['SDK 1 over stdio to a stdio server', (who) => connectOld(viaWrap('pipe'), who)],
  ['SDK 2 over stdio to an HTTP server', (who) => connectNew(viaWrap('http'), who)],
]

describe.each(matrix)('%s', (_, connect) => {
  const open: Party[] = []
  const join = async (who: string): Promise<Party> => {
    const party = await connect(who)
    open.push(party)
    return party
  }
  afterEach(() => {
    for (const { client } of open.splice(0)) closing.push(client.close())
  })

  test('tools: listed without the hidden, called, denied', async () => {
    const { client, call, errors } = await join('one')
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('echo')
    expect(names).toContain('get-tiny-image')
    expect(names).not.toContain('get-env')
    expect(textOf(await call('echo', { message: 'hé 😀' }))).toBe('Echo: hé 😀')
    expect(textOf(await call('get-sum', { a: 100, b: 1 }))).toContain('101')
    expect(await call('get-sum', { a: 101, b: 1 })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: '[POLICY DENIED] only small sums' }],
      _meta: {
        'sallyport.dev/decision': {
          effect: 'deny',
          rule: '/tools/get-sum/deny_if/0',
          message: 'only small sums',
        },
      },
    })
    expect((await call('get-tiny-image'))._meta?.['sallyport.dev/decision']).toMatchObject({
      rule: '/tools/get-tiny-image/action',
    })
    const messageOf = async (name: string): Promise<string> => {
      try {
        return textOf(await call(name))
      } catch (error) {
        return (error as Error).message
      }
    }
    const hidden = await messageOf('get-env')
    expect(hidden).toContain('Unknown tool: get-env')
    expect((await messageOf('no-such')).replaceAll('no-such', 'get-env')).toBe(hidden)
    expect(errors).toEqual([])
  })

  test('resources, prompts and completion', async () => {
    const { client, errors } = await join('one')
    const { resources } = await client.listResources()
    expect(resources.length).toBeGreaterThan(0)
    const uri = resources[0]?.uri ?? ''
    const { contents } = await client.readResource({ uri })
    expect(contents[0]?.uri).toBe(uri)
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates.length).toBeGreaterThan(0)
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toContain('completable-prompt')
    const prompt = await client.getPrompt({
      name: 'completable-prompt',
      arguments: { department: 'Sales', name: 'Eve' },
    })
    expect(JSON.stringify(prompt.messages)).toContain('promote Eve')
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'S' },
    })
    expect(completion.values).toEqual(['Sales', 'Support'])
    expect(errors).toEqual([])
  })

  test('progress, logging, subscriptions', async () => {
    const { client, call, logged, updated, errors } = await join('one')
    const progress: number[] = []
    await call(
      'trigger-long-running-operation',
      { duration: 0.1, steps: 4 },
      { onprogress: (p) => progress.push(p.progress) },
    )
    // The clients drop a progress that is read together with the answer: the last may be missing.
    expect(progress.slice(0, 3)).toEqual([1, 2, 3])
    await client.setLoggingLevel('debug')
    await call('toggle-simulated-logging')
    await until(() => logged.length > 0, 'a log message')
    const uri = 'demo://resource/static/document/architecture.md'
    await client.subscribeResource({ uri })
    await call('toggle-subscriber-updates')
    await until(() => updated.includes(uri), 'an update of the resource')
    expect(errors.filter(({ message }) => !message.includes('unknown token'))).toEqual([])
  })

  test('the server asks: sampling, elicitation and roots are answered by the client that called', async () => {
    const [one, two] = await Promise.all([join('one'), join('two')])
    const ask = async ({ call, isHeard }: Party): Promise<string[]> => {
      const sampling = call('trigger-sampling-request', { prompt: 'p', maxTokens: 10 })
      const elicitation = call('trigger-elicitation-request')
      const roots = isHeard ? call('get-roots-list') : undefined
      return (await Promise.all([sampling, elicitation, roots])).map((r) =>
        JSON.stringify(r ?? null),
      )
    }
    const [first, second] = await Promise.all([ask(one), ask(two)])
    expect(first[0]).toContain('sampled by one')
    expect(first[1]).toMatch(/name[^a-z]+one/i)
    if (one.isHeard) expect(first[2]).toContain('file:///one')
    expect(second[0]).toContain('sampled by two')
    expect(second[1]).toMatch(/name[^a-z]+two/i)
    if (two.isHeard) expect(second[2]).toContain('file:///two')
    expect([...one.errors, ...two.errors]).toEqual([])
  })

  test('two clients at once are never mixed', async () => {
    const parties = await Promise.all([join('one'), join('two')])
    const answers = await Promise.all(
      parties.flatMap(({ call }, who) =>
        Array.from({ length: 25 }, async (_, i) => {
          const message = `client ${who} call ${i}`
          return [textOf(await call('echo', { message })), `Echo: ${message}`] as const
        }),
      ),
    )
    for (const [said, expected] of answers) expect(said).toBe(expected)
  })

  test('a call that the client cancels ends at once, and the session goes on', async () => {
    const { call, errors } = await join('one')
    const controller = new AbortController()
    await expect(
      call(
        'trigger-long-running-operation',
        { duration: 60, steps: 600 },
        { signal: controller.signal, onprogress: () => controller.abort() },
      ),
    ).rejects.toThrow()
    expect(textOf(await call('echo', { message: 'still here' }))).toBe('Echo: still here')
    expect(errors).toEqual([])
  })
})

test('the session id of a server never reaches a client, who gets a sealed one, once', async () => {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${TOKENS.http}`,
  }
  const send = async (message: object): Promise<Response> => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    const response = await fetch(served.mcp('http'), { method: 'POST', headers, body })
    await response.text()
    return response
  }
  const clientInfo = { name: 'bare', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await send({ id: 1, method: 'initialize', params })
  const session = opened.headers.get('mcp-session-id') ?? ''
  expect(session).toMatch(/^sp1\./)
  headers['mcp-session-id'] = session
  const others = [
    await send({ method: 'notifications/initialized' }),
    await send({ id: 2, method: 'tools/list' }),
    await send({ id: 3, method: 'ping' }),
    await send({
      id: 4,
      method: 'tools/call',
      params: { name: 'echo', arguments: { message: 'm' } },
    }),
  ]
  for (const response of others) {
    expect(response.ok).toBe(true)
    expect(response.headers.get('mcp-session-id')).toBeNull()
  }
})
