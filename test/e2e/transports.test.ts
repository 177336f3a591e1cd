import { fileURLToPath } from 'node:url'
import {
  StreamableHTTPClientTransport as NewHttp,
  SSEClientTransport as NewSse,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { SSEClientTransport as OldSse } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  connectNew,
  connectOld,
  connectStateless,
  type Party,
  textOf,
  type Way,
} from '../fakes/party.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { freePort } from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

/**
 * Every transport of a client to every transport of a server, through the built program: the reference
 * server of the project in its three forms, and the clients of both generations of the SDK.
 */
const EVERYTHING = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
    import.meta.url,
  ),
)
const UPSTREAMS = ['stdio', 'http', 'sse'] as const
const DOWNSTREAMS = ['stdio', 'http', 'sse'] as const
type Server = (typeof UPSTREAMS)[number]
const tokenOf = (server: Server): string => `transports-token-${server}`
const POLICY = {
  version: '1',
  default: 'allow',
  hide: ['get-env'],
  tools: { 'get-tiny-image': { action: 'deny', reason: 'no images' } },
}

const space = new Space()
let served: Served
const urls = new Map<Server, string>()

async function startEverything(form: 'streamableHttp' | 'sse', path: string): Promise<string> {
  const port = await freePort()
  const server = space.startOther([process.execPath, EVERYTHING, form], {
    env: { PORT: String(port) },
  })
  await until(() => /listening on port|running on port/.test(server.err), `${form} to listen`)
  return `http://127.0.0.1:${port}${path}`
}

beforeAll(async () => {
  const [http, sse] = await Promise.all([
    startEverything('streamableHttp', '/mcp'),
    startEverything('sse', '/sse'),
  ])
  urls.set('http', http).set('sse', sse)
  space.file('policy.json', POLICY)
  served = await space.serve({
    servers: {
      stdio: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      http: { url: http },
      sse: { url: sse },
    },
    policies: { p: './policy.json' },
    grants: Object.fromEntries(
      UPSTREAMS.map((server) => [server, { server, policy: 'p', token: tokenOf(server) }]),
    ),
  })
})
/** The SDK gives a process that it ends two seconds: all of them at once. */
const closing: Promise<void>[] = []
afterAll(async () => {
  await Promise.all(closing)
  await space.close()
})

const headersOf = (server: Server) => ({ Authorization: `Bearer ${tokenOf(server)}` })

const viaHttp = (server: Server): Way => {
  let heard: (isHeard: boolean) => void = () => {}
  const listening = new Promise<boolean>((resolve) => {
    heard = resolve
  })
  const options = {
    requestInit: { headers: headersOf(server) },
    fetch: async (url: string | URL, init?: RequestInit): Promise<Response> => {
      const response = await fetch(url, init)
      if (init?.method === 'GET') heard(true)
      return response
    },
  }
  const url = new URL(served.mcp(server))
  return {
    first: () => new OldHttp(url, options),
    second: () => new NewHttp(url, options),
    listening,
  }
}

const viaSse = (server: Server): Way => {
  const url = new URL(`${served.mcp(server)}/sse`)
  const options = { requestInit: { headers: headersOf(server) } }
  return {
    first: () => new OldSse(url, options),
    second: () => new NewSse(url, options),
    listening: Promise.resolve(true),
  }
}

const viaWrap = (args: readonly string[]): Way => {
  const [command = '', ...cli] = SALLYPORT
  const env = { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir }
  const all = [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', ...args]
  const options = { command, args: all, env, cwd: space.path, stderr: 'ignore' as const }
  return {
    first: () => new OldStdio(options),
    second: () => new NewStdio(options),
    listening: Promise.resolve(true),
  }
}

const ways = {
  stdio: (server: Server): Way => viaWrap(['--name', server]),
  http: viaHttp,
  sse: viaSse,
} satisfies Record<(typeof DOWNSTREAMS)[number], (server: Server) => Way>

const CONNECT = {
  'SDK 1': connectOld,
  'SDK 2': connectNew,
  'SDK 2 without a session': connectStateless,
} as const
type Sdk = keyof typeof CONNECT
/** HTTP+SSE is older than the stateless era. */
const sdksOver = (downstream: (typeof DOWNSTREAMS)[number]): readonly Sdk[] =>
  downstream === 'sse' ? ['SDK 1', 'SDK 2'] : ['SDK 1', 'SDK 2', 'SDK 2 without a session']

const matrix = DOWNSTREAMS.flatMap((downstream) =>
  UPSTREAMS.flatMap((upstream) =>
    sdksOver(downstream).map((sdk) => ({ sdk, downstream, upstream })),
  ),
)

describe.each(matrix)('$sdk over $downstream to a server over $upstream', (combination) => {
  const { sdk, downstream, upstream } = combination
  let party: Party
  beforeAll(async () => {
    party = await CONNECT[sdk](ways[downstream](upstream), `${sdk}-${downstream}-${upstream}`)
  })
  afterAll(() => {
    closing.push(party.client.close())
  })

  test('a list is filtered, an allowed tool is called, a denied one is not', async () => {
    const { client, call } = party
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('echo')
    expect(names).not.toContain('get-env')
    expect(textOf(await call('echo', { message: 'hé 😀' }))).toBe('Echo: hé 😀')
    const denied = await call('get-tiny-image')
    expect(denied).toMatchObject({ isError: true })
    expect(textOf(denied)).toBe('[POLICY DENIED] no images')
    const hidden = await call('get-env').then(textOf, (error: Error) => error.message)
    expect(hidden).toContain('Unknown tool: get-env')
  })

  test('progress comes before the answer', async () => {
    const progress: number[] = []
    await party.call(
      'trigger-long-running-operation',
      { duration: 0.4, steps: 4 },
      // A client that is asked something on the way tells of that as progress of its own.
      { onprogress: (p) => p.total === 4 && progress.push(p.progress) },
    )
    // The clients drop a progress that is read together with the answer: the last may be missing.
    expect(progress.slice(0, 3)).toEqual([1, 2, 3])
  })

  test('the server asks the client, and gets its answer', async () => {
    const who = `${sdk}-${downstream}-${upstream}`
    const sampled = await party.call('trigger-sampling-request', { prompt: 'p', maxTokens: 10 })
    expect(JSON.stringify(sampled)).toContain(`sampled by ${who}`)
    const elicited = await party.call('trigger-elicitation-request')
    expect(JSON.stringify(elicited)).toContain(who)
  })

  test('resources, prompts and completion pass', async () => {
    const { client } = party
    const uri = (await client.listResources()).resources[0]?.uri ?? ''
    expect((await client.readResource({ uri })).contents[0]?.uri).toBe(uri)
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
  })

  // Without a session a client asks for this with the request `subscriptions/listen`.
  test.skipIf(sdk === 'SDK 2 without a session')(
    'what belongs to no request is heard',
    async () => {
      const { client, call, updated } = party
      const uri = 'demo://resource/static/document/architecture.md'
      await client.subscribeResource({ uri })
      await call('toggle-subscriber-updates')
      await until(() => updated.includes(uri), 'an update of the resource')
      await client.unsubscribeResource({ uri })
    },
  )

  test('a call that the client cancels ends at once, and the session goes on', async () => {
    const controller = new AbortController()
    await expect(
      party.call(
        'trigger-long-running-operation',
        { duration: 60, steps: 600 },
        { signal: controller.signal, onprogress: () => controller.abort() },
      ),
    ).rejects.toThrow()
    expect(textOf(await party.call('echo', { message: 'still here' }))).toBe('Echo: still here')
  })
})

test('`wrap --upstream` finds out by itself that a server speaks HTTP+SSE', async () => {
  const url = urls.get('sse') ?? ''
  const party = await connectOld(viaWrap(['--name', 'found', '--upstream', url]), 'finder')
  expect(textOf(await party.call('echo', { message: 'm' }))).toBe('Echo: m')
  closing.push(party.client.close())
})
