/** What a call costs that is bridged between the eras, beside the same client's call that is not; prints a table. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callBody, REVISION, TOOL } from './gateway/call.ts'
import { Children } from './gateway/children.ts'
import { treeCpuNs } from './gateway/proc.ts'
import { median, pairedRatio, rotated } from './gateway/statistics.ts'

type Era = 'legacy' | 'modern'
const ERAS = ['legacy', 'modern'] as const
const SIZES = { small: 1, '64 KB': 4080 } as const
type Size = keyof typeof SIZES

const ROUNDS = 7
const CALLS = 3_000
const SESSION = '2025-11-25'
const TOKEN = 'bench-token-0123456789'
const INFO = { name: 'bench', version: '1' }

const send = (response: ServerResponse, id: unknown, result: object, session?: string): void => {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }))
  response.writeHead(200, [
    ...['Content-Type', 'application/json', 'Content-Length', String(body.length)],
    ...(session === undefined ? [] : ['Mcp-Session-Id', session]),
  ])
  response.end(body)
}

/** A server of one era, which does nothing at all. */
function answer(response: ServerResponse, era: Era, size: Size, text: string): void {
  const { id, method } = JSON.parse(text) as { id?: unknown; method: string }
  const stamps = era === 'modern' ? { resultType: 'complete' } : {}
  const capabilities = { tools: {} }
  if (id === undefined) response.writeHead(202, ['Content-Length', '0']).end()
  else if (method === 'tools/call') {
    const content = [{ type: 'text', text: '0123456789abcdef'.repeat(SIZES[size]) }]
    send(response, id, { ...stamps, content, structuredContent: { amount: 1850 } })
  } else if (method === 'tools/list')
    send(response, id, { ...stamps, tools: [{ name: TOOL, inputSchema: { type: 'object' } }] })
  else if (method === 'initialize' && era === 'legacy')
    send(response, id, { protocolVersion: SESSION, capabilities, serverInfo: INFO }, 'bench')
  else if (method === 'server/discover' && era === 'modern')
    send(response, id, { ...stamps, supportedVersions: [REVISION], capabilities })
  else {
    response.writeHead(200, ['Content-Type', 'application/json'])
    response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }))
  }
}

const server = createServer((asked, response) => {
  const [, era, size] = (asked.url ?? '').split('/') as [string, Era, string]
  let text = ''
  asked.setEncoding('utf8')
  asked.on('data', (chunk: string) => {
    text += chunk
  })
  asked.on('end', () =>
    asked.method === 'POST'
      ? answer(response, era, decodeURIComponent(size) as Size, text)
      : response.writeHead(405).end(),
  )
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const children = new Children(folder)
const nameOf = (era: Era, size: Size): string => `${era}-${SIZES[size]}`
const tokenOf = (name: string): string => `${TOKEN}-${name}`
const agent = new Agent({ keepAlive: true })

const post = (url: string, headers: Record<string, string>, body: string) =>
  new Promise<{ text: string; session: string | undefined }>((resolve, reject) => {
    const asking = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => {
        const session = response.headers['mcp-session-id']
        resolve({ text, session: typeof session === 'string' ? session : undefined })
      })
    })
    asking.once('error', reject)
    asking.end(body)
  })

/** One route: a client of an era to a server of one. */
interface Route {
  readonly client: Era
  readonly server: Era
  readonly size: Size
  readonly call: () => Promise<unknown>
}

async function open(url: string, client: Era, era: Era, size: Size): Promise<Route> {
  const name = nameOf(era, size)
  const place = `${url}/mcp/${name}`
  const common = {
    authorization: `Bearer ${tokenOf(name)}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const route = (headers: Record<string, string>, body: string): Route => ({
    client,
    server: era,
    size,
    call: () => post(place, headers, body),
  })
  const check = async (checked: Route): Promise<Route> => {
    const { text } = (await checked.call()) as { text: string }
    if (!text.includes('"structuredContent"')) throw new Error(`${client} to ${name}: ${text}`)
    return checked
  }
  if (client === 'modern') {
    const own = { 'mcp-protocol-version': REVISION, 'mcp-method': 'tools/call', 'mcp-name': TOOL }
    return check(route({ ...common, ...own }, callBody))
  }
  const params = { protocolVersion: SESSION, capabilities: {}, clientInfo: INFO }
  const opening = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  const { session = '' } = await post(place, common, opening)
  const { _meta, ...bare } = (JSON.parse(callBody) as { params: Record<string, unknown> }).params
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: bare })
  return check(route({ ...common, 'mcp-session-id': session }, body))
}

try {
  const names = ERAS.flatMap((era) =>
    (Object.keys(SIZES) as Size[]).map((size) => [era, size] as const),
  )
  writeFileSync(join(folder, 'policy.json'), '{"version":"1","default":"allow"}')
  const config = {
    version: 1,
    servers: Object.fromEntries(
      names.map(([era, size]) => [
        nameOf(era, size),
        { url: `${upstream}/${era}/${encodeURIComponent(size)}`, era },
      ]),
    ),
    policies: { bench: './policy.json' },
    grants: Object.fromEntries(
      names.map(([era, size]) => {
        const name = nameOf(era, size)
        return [name, { server: name, policy: 'bench', token: tokenOf(name) }]
      }),
    ),
  }
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, JSON.stringify(config))
  const program = join(import.meta.dirname, '..', 'dist', 'cli.js')
  const words = ['serve', '--config', file, '--port', '0', '--data-dir', join(folder, 'data')]
  const { pid, url } = await children.listen('gate', { node: [program, ...words], cpu: 0 })
  const routes: Route[] = []
  for (const client of ERAS)
    for (const [era, size] of names) routes.push(await open(url, client, era, size))

  const figures = new Map(routes.map((route) => [route, [] as { round: number; value: number }[]]))
  for (let round = -1; round < ROUNDS; round++)
    for (const route of rotated(routes, round + 1)) {
      const before = treeCpuNs(pid)
      for (let i = 0; i < CALLS; i++) await route.call()
      const value = (treeCpuNs(pid) - before) / 1000 / CALLS
      // The first round warms up.
      if (round >= 0) figures.get(route)?.push({ round, value })
    }

  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  say('| client → server | result | CPU µs | × the same client unbridged |')
  say('|---|---|---:|---:|')
  for (const route of routes) {
    const own = figures.get(route) ?? []
    const same = routes.find(
      ({ client, server: era, size }) =>
        client === route.client && era === route.client && size === route.size,
    )
    const ratio = pairedRatio(own, (same === undefined ? undefined : figures.get(same)) ?? [])
    const cpu = median(own.map(({ value }) => value)).toFixed(0)
    say(`| ${route.client} → ${route.server} | ${route.size} | ${cpu} | ${ratio.toFixed(2)} |`)
  }
} finally {
  await children.endAll()
  agent.destroy()
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
}
