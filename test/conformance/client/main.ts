/**
 * The client that the suite tests: `main.ts direct|serve|wrap URL`, with the scenario in the
 * environment. `serve` and `wrap` put the built program between itself and the suite's mock server, so
 * that what is judged is what the gateway sent.
 */
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { SALLYPORT } from '../../fakes/program.ts'
import { Space } from '../../fakes/space.ts'
import { presumeDiscover } from './presume-discover.ts'
import { SCENARIOS } from './scenarios.ts'

const TOKEN = 'conformance-client-token'
const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_PROTOCOL_VERSION: version } =
  process.env
const [way, mock = ''] = process.argv.slice(2)
const play = SCENARIOS[scenario]
if (play === undefined) throw new Error(`there is no play for ${scenario}`)

const space = new Space()
space.file('all.json', { version: '1', default: 'allow' })
const presuming = play.hasDiscover === false ? { fetch: presumeDiscover } : {}

async function open(): Promise<Transport> {
  if (way === 'direct') return new StreamableHTTPClientTransport(new URL(mock), presuming)
  if (way === 'wrap') {
    const [command = '', ...args] = SALLYPORT
    return new StdioClientTransport({
      command,
      args: [...args, 'wrap', '--policy', 'all.json', '--upstream', mock],
      env: { PATH: process.env.PATH ?? '', HOME: space.path, SALLYPORT_DATA_DIR: space.dataDir },
      cwd: space.path,
    })
  }
  const served = await space.serve({
    servers: { mock: { url: mock } },
    policies: { all: './all.json' },
    grants: { one: { server: 'mock', policy: 'all', token: TOKEN } },
  })
  return new StreamableHTTPClientTransport(new URL(served.mcp('mock')), {
    ...presuming,
    requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } },
  })
}

const isModern = version === '2026-07-28'
const client = new Client(
  { name: 'conformance-client', version: '1' },
  {
    capabilities: play.capabilities ?? {},
    ...(isModern ? { versionNegotiation: { mode: 'auto' as const } } : {}),
  },
)
const { answer } = play
if (answer !== undefined)
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: answer }))
try {
  await client.connect(await open())
  await play.play(client)
  await client.close()
} finally {
  await space.close()
}
