import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SALLYPORT } from '../fakes/program.ts'
import { done, type Served, Space } from '../fakes/space.ts'

/** A Python that has the package `mcp`. */
const python = process.env.MCP_PYTHON ?? ''
const isRequired = process.env.SALLYPORT_REQUIRE_MCP_PYTHON === '1'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const CLIENT = at('../fakes/python-client.py')
const REFERENCE = at('../fakes/reference-server/main.ts')
const SERVERS = ['both', 'both-pipe', 'legacy', 'modern'] as const
type Server = (typeof SERVERS)[number]
const tokenOf = (server: Server | 'stack'): string => `python-token-of-${server}`

const space = new Space()
let served: Served
beforeAll(async () => {
  if (python === '') return
  space.file('policy.json', {
    version: '1',
    default: 'allow',
    hide: ['test_image_content'],
    tools: { test_audio_content: { action: 'deny', reason: 'no sounds' } },
  })
  const overHttp = async (eras: string) => {
    const program = space.startOther([process.execPath, REFERENCE, '--port', '0', '--eras', eras])
    return { url: (await program.line('listening on ')).slice('listening on '.length) }
  }
  const [both, legacy, modern] = await Promise.all(['both', 'legacy', 'modern'].map(overHttp))
  served = await space.serve({
    servers: {
      both,
      legacy,
      modern,
      'both-pipe': { command: process.execPath, args: [REFERENCE, '--stdio'] },
    },
    policies: { p: './policy.json' },
    stacks: { all: { servers: SERVERS } },
    grants: {
      ...Object.fromEntries(
        SERVERS.map((server) => [server, { server, policy: 'p', token: tokenOf(server) }]),
      ),
      stack: { stack: 'all', policy: 'p', token: tokenOf('stack') },
    },
  })
})
afterAll(() => space.close())

const headersOf = (server: Server | 'stack') => ({ Authorization: `Bearer ${tokenOf(server)}` })
const overHttp = (server: Server) => ({
  kind: 'http',
  url: served.mcp(server),
  headers: headersOf(server),
})
const inStack = (server: Server) => ({
  kind: 'http',
  url: `${served.url}/stacks/all`,
  headers: headersOf('stack'),
  of: server,
})
const overSse = (server: Server) => ({
  kind: 'sse',
  url: `${served.mcp(server)}/sse`,
  headers: headersOf(server),
})
const overStdio = (server: Server) => {
  const [command, ...cli] = SALLYPORT
  const env = { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir }
  const args = [...cli, 'wrap', '--policy', 'p', '--config', 'sallyport.yaml', '--name', server]
  return { command, args, env, cwd: space.path }
}

const OLD = ['legacy', '2025-11-25'] as const
const NEW = ['2026-07-28', '2026-07-28'] as const
const AUTO = ['auto', '2026-07-28'] as const

test('the Python client is there where it is required', () => {
  expect(python !== '' || !isRequired, 'SALLYPORT_REQUIRE_MCP_PYTHON=1 needs MCP_PYTHON').toBe(true)
})

// Skipped where no Python with `mcp` is named: npm can't bring it.
describe.skipIf(python === '')('the official Python client', () => {
  test.each([
    ['sessions', 'HTTP', 'both', overHttp, OLD],
    ['sessions', 'HTTP', 'both-pipe', overHttp, OLD],
    ['sessions', 'HTTP', 'modern', overHttp, OLD],
    ['sessions', 'HTTP+SSE', 'both', overSse, OLD],
    ['sessions', 'stdio', 'both', overStdio, OLD],
    ['sessions', 'HTTP to a stack', 'both', inStack, OLD],
    ['sessions', 'HTTP to a stack', 'legacy', inStack, OLD],
    ['no sessions', 'HTTP to a stack', 'both', inStack, NEW],
    ['no sessions', 'HTTP to a stack', 'legacy', inStack, NEW],
    ['no sessions', 'HTTP', 'both', overHttp, NEW],
    ['no sessions', 'HTTP', 'both-pipe', overHttp, NEW],
    ['no sessions', 'HTTP', 'legacy', overHttp, NEW],
    ['no sessions', 'stdio', 'both', overStdio, NEW],
    ['no sessions', 'stdio', 'legacy', overStdio, NEW],
    ['the era that it finds', 'HTTP', 'both', overHttp, AUTO],
    ['the era that it finds', 'HTTP', 'legacy', overHttp, AUTO],
  ] as const)(
    'with %s over %s works with the server `%s`',
    async (...[_, __, server, way, [mode, version]]) => {
      const where = { ...way(server), mode }
      const names = way === inStack ? `${server}__` : ''
      const { code, out, err } = await done(
        space.startOther([python, CLIENT, JSON.stringify(where)], {
          env: { PATH: process.env.PATH ?? '' },
        }),
      )
      expect(code, err).toBe(0)
      const saw = JSON.parse(out) as Record<string, unknown>
      expect(saw).toMatchObject({
        version,
        denied: { isError: true, text: '[POLICY DENIED] no sounds' },
        hidden: { message: expect.stringContaining(`Unknown tool: ${names}test_image_content`) },
        resource: 'This is the content of the static text resource.',
        prompt: "Prompt with arguments: arg1='one', arg2='two'",
        progress: [0, 50, 100],
        asked: ['What is your name?'],
        asking: 'Hello, Ada!',
        many: ['This is a simple text response for testing.'],
      })
      expect(saw.tools).toContain(`${names}test_audio_content`)
      expect(saw.tools).not.toContain(`${names}test_image_content`)
      expect(saw.uris).toContain(
        way === inStack ? `${server}+test://static-text` : 'test://static-text',
      )
    },
  )
})
