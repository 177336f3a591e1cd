import { randomBytes } from 'node:crypto'
import { Pool } from 'undici'
import { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerTarget } from '../../core/snapshot.ts'
import { type ChannelSession, openChannelSession } from './channel-session.ts'
import { createProcessPool } from './process-pool.ts'
import { refuse } from './reply.ts'
import { namesEndpoint, openSseChannel, type SseSettings } from './sse-channel.ts'
import type { ReplySink, Upstream, UpstreamExchange, UpstreamRequest } from './upstream.ts'

/** The bounds of an HTTP+SSE upstream. */
export interface SseBounds {
  /** Sessions at once, each of which holds a connection. */
  readonly maxSessions: number
  readonly maxBacklogBytes: number
  readonly requestTimeoutMs: number
  readonly endpointTimeoutMs: number
  readonly orderTimeoutMs: number
  /** A session that nobody uses for this long is ended. */
  readonly idleMs: number
}

/** What holds unless it is said otherwise. */
export const sseBounds: SseBounds = {
  maxSessions: 2_000,
  maxBacklogBytes: 64 * 1024 * 1024,
  requestTimeoutMs: 10 * 60_000,
  endpointTimeoutMs: 10_000,
  orderTimeoutMs: 5_000,
  idleMs: 30 * 60_000,
}

const CONNECT_TIMEOUT_MS = 5_000
const KEEP_ALIVE_MS = 30_000
/** Messages on their way at once towards one server; more wait in undici's queue. */
const MAX_CONNECTIONS = 256
/** No server's own session id begins like this. */
const PREFIX = 'sallyport-sse.'

/** What an HTTP+SSE upstream is made of. */
export interface SseUpstreamOptions {
  readonly name: string
  readonly target: Omit<Extract<ServerTarget, { kind: 'http' }>, 'transport'>
  readonly log: Log
  readonly clock: Clock
  readonly bounds?: Partial<SseBounds>
}

/** A server that is reached over HTTP+SSE, the transport of 2024-11-05. */
export interface SseUpstream extends Upstream {
  /** Does a server with this transport answer? @throws GatewayError when it does, but not safely. */
  isThere(): Promise<boolean>
}

/** True for a session that an HTTP+SSE upstream opened, in this process or an earlier one. */
export const isSseSession = (session: string): boolean => session.startsWith(PREFIX)

const none: UpstreamExchange = { cancel() {} }

/** An HTTP+SSE upstream; every session of a client gets a connection of its own. */
export function createSseUpstream(options: SseUpstreamOptions): SseUpstream {
  const { name, target, log, clock } = options
  const bounds: SseBounds = { ...sseBounds, ...options.bounds }
  const url = new URL(target.url)
  const connections = {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: bounds.requestTimeoutMs,
    bodyTimeout: 0,
    pipelining: 1,
  }
  const streams = new Pool(url.origin, { ...connections, connections: null })
  const posts = new Pool(url.origin, { ...connections, connections: MAX_CONNECTIONS })
  const settings: SseSettings = {
    name,
    log,
    url,
    injected: Object.entries(target.headers).flat(),
    streams,
    posts,
    endpointTimeoutMs: bounds.endpointTimeoutMs,
    orderTimeoutMs: bounds.orderTimeoutMs,
    postTimeoutMs: bounds.requestTimeoutMs,
    maxBacklogBytes: bounds.maxBacklogBytes,
  }
  const pool = createProcessPool({ maxProcesses: bounds.maxSessions, idleMs: bounds.idleMs }, clock)
  const sessions = new Map<string, ChannelSession>()
  let isClosed = false

  function initialize(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const { frame, bytes, grantId } = request
    if (pool.isFull()) {
      refuse(sink, new GatewayError('too_busy', `${bounds.maxSessions} sessions are open`))
      return none
    }
    // 128 random bits: nobody can guess another's session.
    const id = PREFIX + randomBytes(16).toString('base64url')
    const session = pool.add(({ onUse, onEnded }) =>
      openChannelSession({
        id,
        grantId,
        settings: { name, log, requestTimeoutMs: bounds.requestTimeoutMs },
        open: (events) => openSseChannel(settings, events),
        onUse,
        onOver: () => void sessions.delete(id),
        onEnded,
      }),
    )
    sessions.set(id, session)
    return session.exchange(frame, bytes, sink, { headers: headersOf(request) })
  }

  /** The session, if it is this grant's; to any other grant it is as unknown as one that never was. */
  const find = (id: string | undefined, grantId: string): ChannelSession | undefined => {
    const session = id === undefined ? undefined : sessions.get(id)
    return session?.grantId === grantId ? session : undefined
  }

  return {
    exchange(request, sink) {
      const { frame, session: id, grantId } = request
      const session = find(id, grantId)
      if (session !== undefined)
        return session.exchange(frame, request.bytes, sink, { headers: headersOf(request) })
      const isOpening = frame.kind === 'request' && frame.method === 'initialize'
      if (isClosed)
        refuse(sink, new GatewayError('upstream_unreachable', 'the gateway is stopping'))
      else if (request.era === 'modern')
        refuse(
          sink,
          new GatewayError('version_unsupported', 'HTTP+SSE carries the era with sessions alone'),
        )
      else if (id === undefined && isOpening) return initialize(request, sink)
      else refuse(sink, new GatewayError(id === undefined ? 'session_missing' : 'session_unknown'))
      return none
    },
    listen({ session: id, grantId }, sink) {
      const session = find(id, grantId)
      if (session !== undefined) return session.listen(sink)
      refuse(sink, new GatewayError(id === undefined ? 'session_missing' : 'session_unknown'))
      return none
    },
    async endSession({ session: id, grantId }) {
      const session = find(id, grantId)
      if (session === undefined) return 404
      await session.close()
      return 200
    },
    isThere: () => namesEndpoint(settings),
    async close() {
      isClosed = true
      await pool.close()
      await Promise.all([streams.destroy(), posts.destroy()])
    },
  }
}

/** Of the client's headers, trace context passes: answers come on a stream that is already open. */
function headersOf({ frame, protocolVersion, headers }: UpstreamRequest): string[] {
  const passing = headers.filter((_, i) => /^trace/.test(headers[i - (i % 2)] as string))
  const isOpening = frame.kind === 'request' && frame.method === 'initialize'
  return isOpening ? passing : [...passing, 'mcp-protocol-version', protocolVersion]
}
