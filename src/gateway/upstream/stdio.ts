import { randomBytes } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerEntry, ServerTarget } from '../../core/snapshot.ts'
import { type ChannelSession, openChannelSession, type SessionChannel } from './channel-session.ts'
import { childEnvironment } from './child-environment.ts'
import { lastEventIdIn, PRIME_AFTER_MS, takesEvents } from './client-reply.ts'
import { EventLog } from './event-log.ts'
import { createMultiplexer, type Multiplexer } from './multiplexer.ts'
import { openPeer, type PeerEvents, type PeerSettings, type ProcessEnd } from './peer.ts'
import { createProcessPool } from './process-pool.ts'
import { acknowledge, refuse } from './reply.ts'
import { createSharedSessions, type SharedSessions } from './shared-sessions.ts'
import type { ReplySink, Upstream, UpstreamExchange, UpstreamRequest } from './upstream.ts'

/** The bounds of a stdio upstream. */
export interface StdioBounds {
  readonly maxProcesses: number
  readonly maxLineBytes: number
  readonly maxBacklogBytes: number
  readonly requestTimeoutMs: number
  /** A process that nobody uses for this long is ended. */
  readonly idleMs: number
  /** How long a process may take after its stdin was closed, and then after SIGTERM. */
  readonly stdinGraceMs: number
  readonly termGraceMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  readonly healthyMs: number
  /** How long a request may take before its client can leave and come back for the answer. */
  readonly primeAfterMs: number
}

/** What holds unless it is said otherwise. */
export const stdioBounds: StdioBounds = {
  maxProcesses: 64,
  maxLineBytes: 32 * 1024 * 1024,
  maxBacklogBytes: 64 * 1024 * 1024,
  requestTimeoutMs: 10 * 60_000,
  idleMs: 30 * 60_000,
  stdinGraceMs: 2_000,
  termGraceMs: 3_000,
  backoffMinMs: 250,
  backoffMaxMs: 30_000,
  healthyMs: 60_000,
  primeAfterMs: PRIME_AFTER_MS,
}

/** What a stdio upstream is made of. */
export interface StdioUpstreamOptions {
  readonly entry: ServerEntry
  /** The target of the entry. */
  readonly target: Extract<ServerTarget, { kind: 'stdio' }>
  readonly log: Log
  readonly clock: Clock
  /** Our own environment, of which a child sees only what it needs to start. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly bounds?: Partial<StdioBounds>
  /** `pipe`: stderr becomes log events · `inherit`: it goes to our own stderr as it is. */
  readonly stderr?: 'pipe' | 'inherit'
  /** Told of every process that ends. */
  readonly onExit?: (end: ProcessEnd) => void
  readonly random?: () => number
}

/** An upstream that is a child process. */
export interface StdioUpstream extends Upstream {
  /** Passes a signal on to every process and what it started. */
  signal(signal: NodeJS.Signals): void
}

const none: UpstreamExchange = { cancel() {} }
const SHARED = 'shared'

/** The revision of a client that may come back for its answer; undefined when it can't. */
const returningIn = (request: UpstreamRequest): string | undefined =>
  request.mayReturn === true && takesEvents(request.headers) ? request.protocolVersion : undefined

/** A process for one session. */
function pipesOf(settings: PeerSettings, events: PeerEvents): SessionChannel {
  const peer = openPeer(settings, 'legacy', events)
  return {
    ...peer,
    send({ bytes, taken }) {
      peer.write(bytes)
      taken?.()
    },
  }
}

/** Opens a stdio upstream; processes are started as they are needed. */
export function createStdioUpstream(options: StdioUpstreamOptions): StdioUpstream {
  const { entry, target, log, clock } = options
  const bounds: StdioBounds = { ...stdioBounds, ...options.bounds }
  const settings: PeerSettings = {
    name: entry.name,
    log,
    clock,
    requestTimeoutMs: bounds.requestTimeoutMs,
    maxBacklogBytes: bounds.maxBacklogBytes,
    child: {
      command: target.command,
      args: target.args,
      cwd: target.cwd,
      env: childEnvironment(options.environment ?? process.env, target.env),
      stderr: options.stderr ?? 'pipe',
      maxLineBytes: bounds.maxLineBytes,
      graceMs: { stdin: bounds.stdinGraceMs, term: bounds.termGraceMs },
    },
    ...(options.onExit === undefined ? {} : { onExit: options.onExit }),
  }
  const backoff = {
    minMs: bounds.backoffMinMs,
    maxMs: bounds.backoffMaxMs,
    healthyMs: bounds.healthyMs,
    random: options.random ?? (() => randomBytes(4).readUInt32LE() / 2 ** 32),
  }

  const pool = createProcessPool(bounds, clock)
  const sessions = new Map<string, ChannelSession>()
  const kept = { log: new EventLog(clock), primeAfterMs: bounds.primeAfterMs }
  const modern = new Map<string, Multiplexer>()
  let shared: SharedSessions | undefined
  let isClosed = false

  const tooBusy = (): GatewayError =>
    new GatewayError('too_busy', `${bounds.maxProcesses} processes of this server are running`)

  function initialize(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const { frame, grantId } = request
    if (frame.kind !== 'request') return none
    // 128 random bits: nobody can guess another's session.
    const id = randomBytes(16).toString('base64url')
    if (target.instances === 'shared') {
      shared ??= openShared()
      return shared.initialize(id, grantId, frame, sink)
    }
    if (pool.isFull()) {
      refuse(sink, tooBusy())
      return none
    }
    // A client that tried the stateless era first and was refused needs that process no more.
    const tried = modern.get(`grant ${grantId}`)
    if (tried?.isIdle() && tried.isUnproven()) void tried.close().catch(() => {})
    const session = pool.add(({ onUse, onEnded }) =>
      openChannelSession({
        id,
        grantId,
        settings,
        kept,
        open: (events) => pipesOf(settings, events),
        onUse,
        onOver: () => void sessions.delete(id),
        onEnded,
      }),
    )
    sessions.set(id, session)
    return session.exchange(frame, request.bytes, sink)
  }

  function openShared(): SharedSessions {
    return pool.add(({ onUse, onEnded }) => {
      const made = createSharedSessions({ settings, backoff, onUse })
      const close = async (): Promise<void> => {
        if (shared?.close === close) shared = undefined
        await made.close()
        onEnded()
      }
      return { ...made, close }
    })
  }

  function openModern(key: string): Multiplexer {
    const pipe = pool.add(({ onUse, onEnded }) => {
      const made = createMultiplexer({
        settings,
        backoff,
        era: 'modern',
        isOneGrants: key !== SHARED,
        onUse,
        onLoose: ({ bytes: { length: bytes } }) =>
          log('debug', { event: 'upstream.unrouted', upstream: entry.name, bytes }),
        onLost() {},
      })
      const close = async (): Promise<void> => {
        if (modern.get(key)?.close === close) modern.delete(key)
        await made.close()
        onEnded()
      }
      return { ...made, close }
    })
    modern.set(key, pipe)
    return pipe
  }

  /** The session, if it is this grant's; to any other grant it is as unknown as one that never was. */
  const find = (id: string | undefined, grantId: string): ChannelSession | undefined => {
    const session = id === undefined ? undefined : sessions.get(id)
    return session?.grantId === grantId ? session : undefined
  }

  function legacy(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const { frame, session: id, grantId } = request
    if (id === undefined) {
      if (frame.kind === 'request' && frame.method === 'initialize')
        return initialize(request, sink)
      refuse(sink, new GatewayError('session_missing'))
      return none
    }
    if (shared?.has(id, grantId)) return shared.exchange(id, frame, sink)
    const session = find(id, grantId)
    if (session !== undefined)
      return session.exchange(frame, request.bytes, sink, { returning: returningIn(request) })
    refuse(sink, new GatewayError('session_unknown'))
    return none
  }

  function stateless(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const { frame, grantId } = request
    if (frame.kind === 'response') {
      // A stateless server asks nothing.
      refuse(sink, new GatewayError('response_unexpected'))
      return none
    }
    const key = target.instances === 'shared' ? SHARED : `grant ${grantId}`
    const found = modern.get(key)
    if (frame.kind === 'notification') {
      found?.notify(grantId, frame)
      acknowledge(sink)
      return none
    }
    if (found === undefined && pool.isFull()) {
      refuse(sink, tooBusy())
      return none
    }
    const pipe = found ?? openModern(key)
    return pipe.request(grantId, frame, sink)
  }

  return {
    exchange(request, sink) {
      if (isClosed) {
        refuse(sink, new GatewayError('upstream_unreachable', 'the gateway is stopping'))
        return none
      }
      return request.era === 'legacy' ? legacy(request, sink) : stateless(request, sink)
    },
    listen(request, sink) {
      const { session: id, grantId, headers } = request
      if (id !== undefined && shared?.has(id, grantId)) return shared.listen(id, sink)
      const session = find(id, grantId)
      if (session !== undefined) return session.listen(sink, lastEventIdIn(headers))
      refuse(sink, new GatewayError(id === undefined ? 'session_missing' : 'session_unknown'))
      return none
    },
    async endSession({ session: id, grantId }) {
      if (id !== undefined && shared?.has(id, grantId)) {
        shared.end(id)
        return 200
      }
      const session = find(id, grantId)
      if (session === undefined) return 404
      // The session is over now; its process may take its time.
      void session.close().catch(() => {})
      return 200
    },
    signal: pool.signal,
    close() {
      isClosed = true
      return pool.close()
    },
  }
}
