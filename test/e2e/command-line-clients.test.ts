import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BareClient, type ToolResult } from '../fakes/mcp-http.ts'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import { SALLYPORT } from '../fakes/program.ts'
import { type Done, done, type Served, Space } from '../fakes/space.ts'

const installed = (path: string): string =>
  fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
const EVERYTHING = installed('@modelcontextprotocol/server-everything/dist/index.js')
const INSPECTOR = installed('@modelcontextprotocol/inspector/clients/launcher/build/index.js')
const MCP_REMOTE = installed('mcp-remote/dist/proxy.js')
const REFERENCE = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
const TOKEN = 'command-line-token-0123456789'
const STATELESS_TOKEN = 'command-line-token-stateless'

const space = new Space()
let served: Served
beforeAll(async () => {
  space.file('policy.json', {
    version: '1',
    default: 'allow',
    hide: ['get-env'],
    tools: { 'get-tiny-image': { action: 'deny' } },
  })
  served = await space.serve({
    servers: {
      everything: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      stateless: { command: process.execPath, args: [REFERENCE, '--stdio', '--eras', 'modern'] },
    },
    policies: { p: './policy.json' },
    grants: {
      test: { server: 'everything', policy: 'p', token: TOKEN },
      other: { server: 'stateless', policy: 'p', token: STATELESS_TOKEN },
    },
  })
})
afterAll(() => space.close())

describe.each([
  [
    'over HTTP',
    () => [
      '--server-url',
      served.mcp('everything'),
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${TOKEN}`,
    ],
  ],
  [
    'over HTTP+SSE',
    () => [
      '--server-url',
      `${served.mcp('everything')}/sse`,
      '--transport',
      'sse',
      '--header',
      `Authorization: Bearer ${TOKEN}`,
    ],
  ],
  [
    'over stdio',
    () => [
      ...SALLYPORT,
      'wrap',
      '--policy',
      `${space.path}/policy.json`,
      '--data-dir',
      space.dataDir,
      '--',
      process.execPath,
      EVERYTHING,
      'stdio',
    ],
  ],
] as const)('the inspector %s', (_, target) => {
  const inspect = (...words: readonly string[]): Promise<Done> =>
    done(space.startOther([process.execPath, INSPECTOR, '--cli', ...words]))
  // The inspector takes its own flags before a command and after a URL.
  const run = (...words: readonly string[]): Promise<Done> => {
    const to = target()
    return to[0] === '--server-url' ? inspect(...to, ...words) : inspect(...words, '--', ...to)
  }

  test('lists what is not hidden', async () => {
    const { code, out } = await run('--method', 'tools/list')
    expect(code).toBe(0)
    const names = (JSON.parse(out) as { tools: { name: string }[] }).tools.map(({ name }) => name)
    expect(names).toContain('echo')
    expect(names).not.toContain('get-env')
  })

  test('calls what is allowed', async () => {
    const { code, out } = await run(
      ...['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello'],
    )
    expect(code).toBe(0)
    expect((JSON.parse(out) as ToolResult).content?.[0]?.text).toBe('Echo: hello')
  })

  test('shows why a call is denied', async () => {
    const { out } = await run('--method', 'tools/call', '--tool-name', 'get-tiny-image')
    expect(JSON.parse(out)).toMatchObject({
      isError: true,
      _meta: { 'sallyport.dev/decision': { effect: 'deny', rule: '/tools/get-tiny-image/action' } },
    })
  })
})

test.each([
  ['http-only', ''],
  ['sse-only', '/sse'],
  // It tries the newer transport first, and takes 405 for an answer.
  ['http-first', '/sse'],
])('mcp-remote bridges a client over stdio to serve (%s)', async (strategy, end) => {
  const program = space.startOther([
    ...[process.execPath, MCP_REMOTE, `${served.mcp('everything')}${end}`],
    ...['--header', `Authorization: Bearer ${TOKEN}`, '--allow-http', '--transport', strategy],
  ])
  const talk = new StdioTalk(program)
  expect((await talk.initialize()).result?.protocolVersion).toBe('2025-11-25')
  const { result } = await talk.request('tools/list')
  const names = ((result?.tools ?? []) as { name: string }[]).map(({ name }) => name)
  expect(names).toContain('echo')
  expect(names).not.toContain('get-env')
  const called = await talk.call('echo', { message: 'hello' })
  expect(called.result?.content?.[0]?.text).toBe('Echo: hello')
  const denied = await talk.call('get-tiny-image')
  expect(denied.result?._meta?.['sallyport.dev/decision']?.effect).toBe('deny')
  program.kill('SIGTERM')
  await program.ended()
})

// Alone, neither can: both open with `initialize`, which a stateless server refuses.
test('the inspector and mcp-remote reach a stateless server', async () => {
  const url = served.mcp('stateless')
  const header = ['--header', `Authorization: Bearer ${STATELESS_TOKEN}`]
  const tool = ['--method', 'tools/call', '--tool-name', 'test_simple_text']
  const { code, out, err } = await done(
    space.startOther([
      ...[process.execPath, INSPECTOR, '--cli', '--server-url', url, '--transport', 'http'],
      ...header,
      ...tool,
    ]),
  )
  expect(code, err).toBe(0)
  expect((JSON.parse(out) as ToolResult).content?.[0]?.text).toContain('simple text response')

  const program = space.startOther([process.execPath, MCP_REMOTE, url, ...header, '--allow-http'])
  const talk = new StdioTalk(program)
  expect((await talk.initialize()).result?.protocolVersion).toBe('2025-11-25')
  const called = await talk.call('test_simple_text')
  expect(called.result?.content?.[0]?.text).toContain('simple text response')
  program.kill('SIGTERM')
  await program.ended()
})

test('a hidden tool and one that nobody has are refused with the same bytes', async () => {
  const { url, token } = new BareClient(served.mcp('everything'), TOKEN)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  }
  const send = async (message: object) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
    const response = await fetch(url, { method: 'POST', headers, body })
    const text = await response.text()
    const shown = [...response.headers].filter(([name]) => name !== 'date')
    return { status: response.status, headers: shown, text, all: response.headers }
  }
  const clientInfo = { name: 'bare', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await send({ method: 'initialize', params })
  headers['mcp-session-id'] = opened.all.get('mcp-session-id') ?? ''
  await send({ method: 'tools/list' })
  const refusal = async (name: string) => {
    const { status, headers: shown, text } = await send({ method: 'tools/call', params: { name } })
    return { status, headers: shown, text: text.replaceAll(name, '<name>') }
  }
  // Of equal length, so that not even the length of the body may differ.
  const [hidden, unknown] = [await refusal('get-env'), await refusal('got-env')]
  expect(hidden.text).toContain('Unknown tool: <name>')
  expect(hidden).toEqual(unknown)
})
