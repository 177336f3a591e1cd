import { type ClientRequest, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from './ask.ts'
import type { Bed } from './bed.ts'
import { BenchError } from './bench-error.ts'
import { openFilesLimit, treeMemoryMb } from './proc.ts'

/** What idle streams cost the gateway. */
export interface IdleStreams {
  readonly streams: number
  readonly memoryBeforeMb: number
  readonly memoryMb: number
}

/** How many streams of a session are opened, at the same time; the gateway lets a session have 16. */
const PER_SESSION = 10
/** Files that the gateway has open besides its streams, rounded up. */
const OTHER_FILES = 100
const SETTLE_LIMIT_MS = 15_000
const REVISION = '2025-11-25'

/** Throws a {@link BenchError} when so many streams can not be open here. */
export function requireOpenFiles(streams: number): void {
  if (process.platform !== 'linux')
    throw new BenchError('idle streams are measured on Linux only: memory is read from /proc')
  const limit = openFilesLimit()
  // The gateway holds two sockets for a stream: the client's and the upstream's.
  const most = Math.floor((limit - OTHER_FILES) / 2)
  if (streams > most)
    throw new BenchError(
      `${streams} streams need ${streams * 2 + OTHER_FILES} open files, the limit is ${limit}; raise it with \`ulimit -n\`, or use --idle ${most}`,
    )
}

/** Opens idle event streams through a gate, a few in each session, and weighs the gate. */
export async function idleStreams(bed: Bed, count: number): Promise<IdleStreams> {
  const { pid, url } = await bed.gate('rules')
  const endpoint = `${url}/mcp/small`
  await openSession(endpoint, bed.tokens.small)
  const memoryBeforeMb = await settledMemoryMb(pid)
  const open: ClientRequest[] = []
  for (let i = 0; i < count; i += PER_SESSION) {
    const headers = await openSession(endpoint, bed.tokens.small)
    const streams = Array.from({ length: Math.min(PER_SESSION, count - i) }, () =>
      openStream(endpoint, headers),
    )
    open.push(...(await Promise.all(streams)))
  }
  const memoryMb = await settledMemoryMb(pid)
  const { text } = await ask(`${bed.upstream.url}/streams`)
  for (const stream of open) stream.destroy()
  if (Number(text) !== count)
    throw new BenchError(`${count} streams were opened, but the upstream holds ${text}`)
  return { streams: count, memoryBeforeMb, memoryMb }
}

/** The headers by which requests belong to a new session. */
async function openSession(
  endpoint: string,
  token: string,
): Promise<Readonly<Record<string, string>>> {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
  }
  const params = {
    protocolVersion: REVISION,
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  }
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const answer = await ask(endpoint, headers, JSON.stringify(initialize))
  const session = answer.headers['mcp-session-id']
  if (typeof session !== 'string')
    throw new BenchError(`no session was opened (status ${answer.status}); is dist/ up to date?`)
  return {
    Authorization: headers.Authorization,
    Accept: 'text/event-stream',
    'Mcp-Session-Id': session,
    'Mcp-Protocol-Version': REVISION,
  }
}

/** Opens one stream and waits for its first bytes, which come from the upstream. */
const openStream = (
  endpoint: string,
  headers: Readonly<Record<string, string>>,
): Promise<ClientRequest> =>
  new Promise((resolve, reject) => {
    const asking = request(endpoint, { headers, agent: false }, (response) => {
      // Streams are cut at the end, which is no failure.
      response.on('error', () => {})
      if (response.statusCode !== 200)
        reject(new BenchError(`a stream was refused with status ${response.statusCode}`))
      response.resume()
      resolve(asking)
    })
    asking.on('error', reject)
    asking.end()
  })

/** The memory of a process once it stays within a hundredth for a second. */
async function settledMemoryMb(pid: number): Promise<number> {
  const end = performance.now() + SETTLE_LIMIT_MS
  let last = treeMemoryMb(pid)
  for (;;) {
    await delay(1000)
    const now = treeMemoryMb(pid)
    if (Math.abs(now - last) < last / 100 || performance.now() > end) return now
    last = now
  }
}
