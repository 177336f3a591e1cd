import { randomFillSync } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Log } from '../core/log.ts'
import type { Clock } from '../core/ports.ts'
import { classify } from '../core/risk/classify.ts'
import type { Grant, Snapshot } from '../core/snapshot.ts'
import { uuid7Source } from '../core/uuid7.ts'
import { Channels } from '../gateway/channels.ts'
import { createHttpListener } from '../gateway/downstream/http.ts'
import { createEdge, type Edge } from '../gateway/downstream/http-edge.ts'
import type { Gate } from '../gateway/gate.ts'
import { createSeal } from '../gateway/seal.ts'
import { Servers } from '../gateway/servers.ts'
import { Sessions } from '../gateway/sessions.ts'
import { Stacks } from '../gateway/stack/stacks.ts'
import { openUpstream } from '../gateway/upstream/index.ts'
import { openKey } from '../store/key-file.ts'
import { openStores, type Stores } from '../store/open.ts'
import { adminTokenDigest } from './admin-token.ts'
import type { FileProblem, Load } from './load.ts'
import { type ConfigWatch, watchConfig } from './watch.ts'

/** The wall clock: the only place that reads it. */
export const systemClock: Clock = { now: () => Date.now() }

const elapsed = (): number => performance.now()

/** What runs behind every listener: stores, configuration, servers. */
export interface Core {
  readonly stores: Stores
  readonly watch: ConfigWatch
  readonly servers: Servers
  readonly stacks: Stacks
  readonly gate: Gate
  close(): Promise<void>
}

/** Opens everything that an exchange stands on; problems of the configuration are a value. */
export async function wireCore(o: {
  load: Load
  dataDir: string
  log: Log
}): Promise<{ ok: true; core: Core } | { ok: false; problems: readonly FileProblem[] }> {
  const { load, dataDir, log } = o
  const stores = await openStores({ dataDir, log })
  const servers = new Servers(
    (entry) => openUpstream(entry, { log, clock: systemClock }),
    (definition) => classify(definition),
  )
  let stacks: Stacks | undefined
  let swapped = (): void => {}
  const watched = await watchConfig({
    load,
    nouns: stores.nouns,
    log,
    onSwap({ snapshot }) {
      servers.reconcile(snapshot)
      stacks?.reconcile(snapshot)
      swapped()
    },
  })
  if (!watched.ok) {
    await stores.close()
    return watched
  }
  const { watch } = watched
  const gate: Gate = {
    counters: stores.counters,
    records: stores.records,
    clock: systemClock,
    elapsed,
    newId: newIds(),
    log,
    seal: createSeal(openKey(dataDir), 'round'),
    cursors: createSeal(openKey(dataDir), 'cursor'),
    channels: new Channels(),
    grantOf: (id) => grantIn(watch.current().snapshot, id),
    audit: watch.current().config.audit,
  }
  stacks = new Stacks({
    gate,
    servers,
    snapshot: () => watch.current().snapshot,
  })
  const open = stacks
  swapped = () => void gate.channels.changed(gate).catch(() => {})
  const close = async (): Promise<void> => {
    await watch.close()
    await open.close()
    await servers.close()
    await stores.close()
  }
  return { ok: true, core: { stores, watch, servers, stacks, gate, close } }
}

/** The grant of an id, in a snapshot whose grants are kept by credential. */
const grantIn = (snapshot: Snapshot, id: string): Grant | undefined => grantsById(snapshot).get(id)

const byId = new WeakMap<Snapshot, ReadonlyMap<string, Grant>>()

function grantsById(snapshot: Snapshot): ReadonlyMap<string, Grant> {
  const known = byId.get(snapshot)
  if (known !== undefined) return known
  const made = new Map([...snapshot.grants.values()].map((grant) => [grant.id, grant]))
  byId.set(snapshot, made)
  return made
}

const newIds = (): (() => string) => {
  const next = uuid7Source((bytes) => randomFillSync(bytes))
  return () => next(Date.now())
}

/** A gateway that accepts traffic. */
export interface RunningGateway {
  readonly url: string
  readonly core: Core
  /** Stops accepting, lets what is in flight end within `graceMs`, and closes everything. */
  stop(graceMs: number): Promise<void>
}

/** Starts the gateway: data plane, admin API and status on one port. */
export async function startGateway(o: {
  core: Core
  dataDir: string
  host: string | undefined
  port: number | undefined
  log: Log
}): Promise<RunningGateway> {
  const { core, log } = o
  const { config } = core.watch.current()
  const host = o.host ?? config.listen.host
  const sessions = new Sessions(openKey(o.dataDir))
  const snapshot = () => core.watch.current().snapshot
  let edge: Edge = createEdge({ host, port: 0, hosts: [], origins: [] })
  const digest = adminTokenDigest({ configured: config.admin.tokenDigest, dataDir: o.dataDir, log })
  // The control plane is off the data path: it is loaded when it is first asked for.
  let control: Promise<(request: IncomingMessage, response: ServerResponse) => void> | undefined
  const openControl = async () => {
    const { createControl } = await import('../control/app.ts')
    return createControl({
      nouns: core.stores.nouns,
      records: core.stores.records,
      snapshot,
      adminTokenDigest: digest,
      mayAddCommands: () => core.watch.current().config.admin.commands,
      changed: () => core.watch.changed(),
      clock: systemClock,
      failed: (thrown) =>
        log('error', {
          event: 'control.failed',
          reason: thrown instanceof Error ? thrown.message : 'unknown error',
        }),
    })
  }
  const other = (request: IncomingMessage, response: ServerResponse): void => {
    if (serveHealth(request, response, core)) return
    if (!API_PATH.test(request.url ?? '')) {
      serveNothing(request, response)
      return
    }
    control ??= openControl()
    control.then(
      (serve) => serve(request, response),
      () => response.destroy(),
    )
  }
  const listener = createHttpListener({
    gate: core.gate,
    servers: core.servers,
    stacks: core.stacks,
    sessions,
    snapshot,
    edge: () => edge,
    other,
  })
  const unused = watchUnused(listener)
  const port = await listen(listener, host, o.port ?? config.listen.port)
  edge = createEdge({ host, port, hosts: config.listen.hosts, origins: config.listen.origins })
  const shown = host.includes(':') ? `[${host}]` : host
  const url = `http://${shown}:${port}`
  log('info', { event: 'gateway.started', url, dataDir: o.dataDir })
  return { url, core, stop: (graceMs) => stop(listener, core, { graceMs, unused }) }
}

/** Raw paths of the admin API: matched as sent, never normalised. */
const API_PATH = /^\/api\/v1\/[A-Za-z0-9/_.~%-]*(?:\?.*)?$/

/** Every other path; the root says what is served here. */
function serveNothing(request: IncomingMessage, response: ServerResponse): void {
  const isRoot = request.url === '/' && request.method === 'GET'
  response.writeHead(isRoot ? 200 : 404, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(
    isRoot
      ? 'Sallyport, the policy gateway for MCP\n\n/mcp/{server}   MCP, with a grant token; …/sse for HTTP+SSE\n/stacks/{name}  several servers as one, the same\n/api/v1/…       the admin API, with the admin token\n/healthz        alive\n/readyz         can serve\n'
      : 'nothing is served here\n',
  )
}

/** `/healthz`: alive · `/readyz`: the stores answer. True when the path was one of them. */
function serveHealth(request: IncomingMessage, response: ServerResponse, core: Core): boolean {
  const answer = (status: number, text: string): void => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.end(`${text}\n`)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  if (request.url === '/healthz') {
    answer(200, 'alive')
    return true
  }
  if (request.url !== '/readyz') return false
  core.stores.counters.peek([], core.gate.clock.now()).then(
    () => answer(200, 'ready'),
    () => answer(503, 'the counter store does not answer'),
  )
  return true
}

/** The connections that are open and have carried no request yet. */
function watchUnused(listener: Server): ReadonlySet<Socket> {
  const unused = new Set<Socket>()
  listener.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  listener.on('request', ({ socket }: IncomingMessage) => unused.delete(socket))
  return unused
}

const listen = (listener: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen({ host, port, backlog: 4096 }, () => {
      listener.off('error', reject)
      resolve((listener.address() as AddressInfo).port)
    })
  })

const SWEEP_MS = 50

async function stop(
  listener: Server,
  core: Core,
  { graceMs, unused }: { graceMs: number; unused: ReadonlySet<Socket> },
): Promise<void> {
  const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
  // A connection that never carried a request does not count as idle, but is.
  for (const socket of unused) socket.destroy()
  // Connections that are kept alive become idle one by one, as their calls end.
  const sweep = setInterval(() => listener.closeIdleConnections(), SWEEP_MS)
  const limit = setTimeout(() => listener.closeAllConnections(), graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(limit)
  await core.close()
}
