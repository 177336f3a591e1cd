import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { asGatewayError, catalogue, GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import { type FrameResult, parseFrame } from '../../core/mcp/frame.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { errorReply, type Reader } from '../../core/mcp/reply.ts'
import { UNNAMED_VERSION } from '../../core/mcp/revisions.ts'
import type { Grant, Snapshot } from '../../core/snapshot.ts'
import { type AnswerSink, answerIdOf, type Caller, type Gate, type OpenServer } from '../gate.ts'
import { identify } from '../identify.ts'
import { policyMark } from '../list-changes.ts'
import { Listening } from '../listening.ts'
import { mirrorMismatch } from '../mirror.ts'
import { Exchange } from '../pipeline.ts'
import type { Servers } from '../servers.ts'
import { type LiveSession, SESSION_LOOK_MS, type Sessions } from '../sessions.ts'
import { Passage } from '../stack/passage.ts'
import type { Stacks } from '../stack/stacks.ts'
import { splitBatch } from './batch.ts'
import { askableIn, clientOf, modernClaim, requireLegacyHeader } from './era.ts'
import { readBody } from './http-body.ts'
import { corsHeaders, type Edge, preflightHeaders } from './http-edge.ts'
import { type HttpHead, readHead, requireJson } from './http-head.ts'
import { HttpSink } from './http-sink.ts'
import { SseSessions, type SseVisit } from './sse.ts'
import { Streams } from './streams.ts'

/** What the HTTP listener stands on. */
export interface HttpListenerOptions {
  readonly gate: Gate
  readonly servers: Servers
  readonly sessions: Sessions
  readonly stacks: Stacks
  readonly snapshot: () => Snapshot
  readonly edge: () => Edge
  /** Serves every path that is not an MCP endpoint; Host and Origin are checked before. */
  readonly other: (request: IncomingMessage, response: ServerResponse) => void
}

/** Raw paths of MCP endpoints: matched as sent, never normalised. */
const MCP_PATH = /^\/(mcp|stacks)\/([A-Za-z0-9][A-Za-z0-9_-]{0,62})(?:\?.*)?$/
/** The same transport's two paths of 2024-11-05. */
const SSE_PATH = /^\/mcp\/([A-Za-z0-9][A-Za-z0-9_-]{0,62})\/(sse|messages)(?:\?.*)?$/
const SSE_VERBS = { sse: 'GET', messages: 'POST' } as const
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 75_000

/** Serves `/mcp/{server}` and `/stacks/{name}` to clients over HTTP; not yet listening. */
export function createHttpListener(options: HttpListenerOptions): Server {
  const streams = new Streams(() => server.listening)
  const sse = new SseSessions(options.gate, streams)
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
    },
    (request, response) => {
      response.on('error', ignore)
      try {
        accept(options, { streams, sse }, request, response)
      } catch (thrown) {
        refuse(response, thrown, EARLY)
      }
    },
  )
  const reaping = setInterval(() => endIdleSessions(options), SESSION_LOOK_MS).unref()
  server.on('close', () => {
    clearInterval(reaping)
    streams.close()
  })
  return server
}

/** A client that goes in the middle of an answer is no error of ours. */
const ignore = (): void => {}

const EARLY: Refusal = {
  id: undefined,
  reader: { isModern: true, protocolVersion: '' },
  headers: [],
}

interface Refusal {
  readonly id: Parameters<typeof errorReply>[0]
  readonly reader: Reader
  readonly headers: readonly string[]
  /** The one verb of the path, where it is not the usual ones. */
  readonly verb?: string | undefined
}

/** Ends a request that reached no exchange. */
function refuse(response: ServerResponse, thrown: unknown, refusal: Refusal): void {
  const { id, reader, headers, verb = 'POST, GET, DELETE' } = refusal
  const error = asGatewayError(thrown)
  const status = catalogue[error.code].http
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = Buffer.from(errorReply(id, error, reader), 'utf8')
  response.writeHead(status, [
    ...['Content-Type', 'application/json', 'Content-Length', String(body.length)],
    ...(status === 401 || status === 403 ? ['WWW-Authenticate', challenge(error)] : []),
    ...(error.code === 'verb_refused' ? ['Allow', `${verb}, OPTIONS`] : []),
    // What is left of an unread body must not be taken for the next request.
    ...(error.code === 'frame_too_large' ? ['Connection', 'close'] : []),
    ...headers,
  ])
  response.end(body)
}

const challenge = ({ code }: GatewayError): string =>
  code === 'grant_missing'
    ? 'Bearer realm="sallyport"'
    : `Bearer realm="sallyport", error="${code === 'grant_elsewhere' ? 'insufficient_scope' : 'invalid_token'}"`

/** Everything before the body, in the order of the security model: edge, route, credential. */
function accept(
  options: HttpListenerOptions,
  { streams, sse }: { readonly streams: Streams; readonly sse: SseSessions },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const head = readHead(request)
  const edge = options.edge()
  if (!edge.isHostServed(head.host)) throw new GatewayError('host_refused')
  if (head.origin !== undefined && !edge.isOriginAllowed(head.origin))
    throw new GatewayError('origin_refused')
  const route = routeOf(request.url ?? '')
  if (route === undefined) {
    options.other(request, response)
    return
  }
  const headers = corsHeaders(head)
  if (request.method === 'OPTIONS') {
    preflight(request, response, head)
    return
  }
  try {
    const snapshot = options.snapshot()
    const grant = identify(snapshot, head.authorization, options.gate.clock.now(), request.socket)
    const server = route.isStack
      ? stackAt(options, snapshot, grant, route.name)
      : serverAt(options, snapshot, grant, route.name)
    const visit: Visit = {
      options,
      streams,
      request,
      response,
      head,
      headers,
      grant,
      server,
      isStack: route.isStack,
    }
    if (route.sse !== undefined) visitSse(visit, sse, route.sse)
    else if (request.method === 'POST') post(visit)
    else if (request.method === 'GET') listen(visit)
    else if (request.method === 'DELETE') endSession(visit)
    else throw new GatewayError('verb_refused')
  } catch (thrown) {
    refuse(response, thrown, { ...EARLY, headers, verb: route.sse && SSE_VERBS[route.sse] })
  }
}

/** HTTP+SSE: a stream to be opened, or a message for one that is open. */
function visitSse(visit: Visit, sse: SseSessions, path: keyof typeof SSE_VERBS): void {
  const { request, response, headers } = visit
  if (request.method !== SSE_VERBS[path]) throw new GatewayError('verb_refused')
  const own: SseVisit = {
    ...visit,
    isStillLive: () => isStillLive(visit) && isSameServer(visit),
    refuse: (thrown, id, reader = readerOf(visit.head)) =>
      refuse(response, thrown, { id, reader, headers }),
  }
  if (path === 'sse') sse.open(own)
  else sse.post(own)
}

const MAX_PATHS = 256
const paths = new Map<string, Route>()

/** The server or the stack that a path names. */
interface Route {
  readonly isStack: boolean
  readonly name: string
  readonly sse: keyof typeof SSE_VERBS | undefined
}

/** What a raw path names; undefined for every path that is no MCP endpoint. */
function routeOf(path: string): Route | undefined {
  const known = paths.get(path)
  if (known !== undefined) return known
  const [, kind, name] = MCP_PATH.exec(path) ?? []
  if (name === undefined) return sseRouteOf(path)
  const route = { isStack: kind === 'stacks', name, sse: undefined }
  if (paths.size < MAX_PATHS) paths.set(path, route)
  return route
}

function sseRouteOf(path: string): Route | undefined {
  const [, name, end] = SSE_PATH.exec(path) ?? []
  if (name === undefined) return undefined
  return { isStack: false, name, sse: end === 'sse' ? 'sse' : 'messages' }
}

function serverAt(
  { servers }: HttpListenerOptions,
  snapshot: Snapshot,
  grant: Grant,
  name: string,
): OpenServer {
  const entry = snapshot.servers.get(name)
  if (entry === undefined) throw new GatewayError('not_found', 'no server of this name')
  if (entry.name !== grant.server) throw new GatewayError('grant_elsewhere')
  return servers.of(entry)
}

function stackAt(
  { stacks }: HttpListenerOptions,
  snapshot: Snapshot,
  grant: Grant,
  name: string,
): OpenServer {
  const entry = snapshot.stacks.get(name)
  if (entry === undefined) throw new GatewayError('not_found', 'no stack of this name')
  if (entry.name !== grant.stack?.name) throw new GatewayError('grant_elsewhere')
  return stacks.of(entry, grant)
}

/** One authenticated HTTP request. */
interface Visit {
  readonly options: HttpListenerOptions
  readonly streams: Streams
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: HttpHead
  readonly headers: readonly string[]
  readonly grant: Grant
  readonly server: OpenServer
  readonly isStack: boolean
}

/** True while the credential that a stream was opened with still stands for the same grant. */
function isStillLive({ options, head, request, grant }: Visit): boolean {
  try {
    const at = options.gate.clock.now()
    return identify(options.snapshot(), head.authorization, at, request.socket).id === grant.id
  } catch {
    return false
  }
}

/** False once the configuration reaches the server in another way, or names it no more. */
const isSameServer = ({ options, server, isStack }: Visit): boolean => {
  if (isStack) return true
  const entry = options.snapshot().servers.get(server.entry.name)
  return entry !== undefined && options.servers.of(entry).upstream === server.upstream
}

function preflight(request: IncomingMessage, response: ServerResponse, head: HttpHead): void {
  if (head.origin === undefined) throw new GatewayError('verb_refused')
  const asked = String(request.headers['access-control-request-headers'] ?? '')
  const params = asked
    .split(',')
    .map((h) => h.trim())
    .filter((h) => /^mcp-param-[\w-]{1,64}$/i.test(h))
  response.writeHead(204, preflightHeaders(head, params))
  response.end()
}

function post(visit: Visit): void {
  requireJson(visit.head)
  readBody(visit.request, (body) => {
    if (body.ok) receive(visit, body.text, body.bytes)
    else refuse(visit.response, body.error, { ...EARLY, headers: visit.headers })
  })
}

function receive(visit: Visit, text: string, bytes: Uint8Array): void {
  const parsed = parseFrame(text)
  if (!parsed.ok && text.trimStart().startsWith('[')) receiveBatch(visit, text, parsed)
  else receiveOne(visit, parsed, bytes)
}

function receiveOne(visit: Visit, parsed: FrameResult, bytes: Uint8Array): void {
  let reader: Reader = readerOf(visit.head)
  try {
    if (!parsed.ok) throw new GatewayError(parsed.code, parsed.detail)
    const caller = callerOf(visit, parsed.frame)
    reader = { isModern: caller.era === 'modern', protocolVersion: caller.protocolVersion }
    exchange(visit, caller, { frame: parsed.frame, bytes }, reader)
  } catch (thrown) {
    const id = parsed.ok ? answerIdOf(parsed.frame) : parsed.id
    refuse(visit.response, thrown, { id, reader, headers: visit.headers })
  }
}

/** Before the era is known, the version header says what the reader understands. */
const readerOf = ({ protocolVersion }: HttpHead): Reader => ({
  isModern: protocolVersion === undefined,
  protocolVersion: protocolVersion ?? '',
})

function exchange(
  visit: Visit,
  caller: Caller,
  { frame, bytes }: { frame: Frame; bytes: Uint8Array },
  reader: Reader,
): void {
  const isCall = frame.kind !== 'request' || frame.method !== 'subscriptions/listen'
  const sink = new HttpSink(visit.response, {
    id: answerIdOf(frame),
    reader,
    headers: visit.headers,
    streaming: (response) =>
      visit.streams.add(response, {
        isLive: () => (isCall || visit.streams.isServing()) && isStillLive(visit),
        finish: () => running.finish(),
      }),
    openSession: (upstream, protocolVersion) =>
      visit.options.sessions.seal({
        server: caller.server.entry.name,
        grantId: caller.grant.id,
        upstream,
        protocolVersion,
        client: caller.client,
        askable: askableIn(frame),
        policy: policyMark(caller.grant.policy),
      }),
  })
  const running = open(visit, caller, frame, sink, bytes)
  visit.response.on('close', () => {
    if (!visit.response.writableFinished) running.cancel()
  })
  void running.run()
}

/** A frame for a server is judged here; one for a stack is judged for each member that gets it. */
const open = (
  { options, isStack }: Visit,
  caller: Caller,
  frame: Frame,
  sink: AnswerSink,
  bytes?: Uint8Array,
): Exchange | Passage =>
  isStack
    ? new Passage(options.gate, caller, frame, sink, bytes)
    : new Exchange(options.gate, caller, frame, sink, bytes)

/** Era, session and client of a frame; everything a header could contradict is compared here. */
function callerOf(visit: Visit, frame: Frame): Caller {
  const { head, grant, server } = visit
  const claim = modernClaim(frame, head.protocolVersion)
  const mismatch = mirrorMismatch(frame, head.mirrors, claim !== undefined)
  if (mismatch !== undefined) throw new GatewayError('header_mismatch', mismatch)
  const { passing: headers, mirrors } = head
  if (claim !== undefined)
    return {
      grant,
      server,
      headers,
      mirrors,
      era: 'modern',
      protocolVersion: claim.version,
      session: undefined,
      client: claim.client,
      envelope: claim.envelope,
    }
  requireLegacyHeader(head.protocolVersion)
  if (frame.kind === 'request' && frame.method === 'initialize' && head.sessionId === undefined)
    return {
      grant,
      server,
      headers,
      mirrors,
      era: 'legacy',
      protocolVersion: head.protocolVersion ?? UNNAMED_VERSION,
      session: undefined,
      client: clientOf(member(frame.params, 'clientInfo')),
    }
  const session = sessionOf(visit)
  const { protocolVersion, client } = session
  return { grant, server, headers, mirrors, era: 'legacy', protocolVersion, session, client }
}

/**
 * The session of a request; somebody else's does not exist for this caller.
 * @throws GatewayError `session_missing`, `session_unknown`.
 */
function sessionOf({ options, head, grant, server }: Visit): LiveSession {
  if (head.sessionId === undefined) throw new GatewayError('session_missing')
  const session = options.sessions.open(head.sessionId)
  if (session === undefined || session.grantId !== grant.id || session.server !== server.entry.name)
    throw new GatewayError('session_unknown')
  return session
}

/** The one revision with batches gets them judged element by element. */
function receiveBatch(
  visit: Visit,
  text: string,
  parsed: Extract<FrameResult, { ok: false }>,
): void {
  try {
    const session = visit.head.sessionId === undefined ? undefined : sessionOf(visit)
    const frames = splitBatch(text, session?.protocolVersion)
    if (frames === undefined) throw new GatewayError(parsed.code, parsed.detail)
    const callers = frames.map((frame) => callerOf(visit, frame))
    const reader: Reader = { isModern: false, protocolVersion: session?.protocolVersion ?? '' }
    const isLive = (): boolean => isStillLive(visit)
    const all: (Exchange | Passage)[] = []
    const finish = (): void => {
      for (const one of all) one.finish()
    }
    visit.streams.batch(
      visit.response,
      { headers: visit.headers, isLive, finish },
      frames,
      (frame, i, sink) => {
        const running = open(visit, callers[i] as Caller, frame, sink(answerIdOf(frame), reader))
        all.push(running)
        visit.response.on('close', () => {
          if (!visit.response.writableFinished) running.cancel()
        })
        void running.run()
      },
    )
  } catch (thrown) {
    refuse(visit.response, thrown, {
      id: undefined,
      reader: readerOf(visit.head),
      headers: visit.headers,
    })
  }
}

/** The stream of messages that belong to no request. */
function listen(visit: Visit): void {
  const { head, server, grant, response } = visit
  if (head.protocolVersion !== undefined) requireLegacyHeader(head.protocolVersion)
  if (head.sessionId === undefined) throw new GatewayError('verb_refused')
  const session = sessionOf(visit)
  const letGo = visit.options.sessions.hold(head.sessionId)
  if (letGo === undefined) throw new GatewayError('too_busy', 'the session has too many streams')
  response.on('close', letGo)
  const caller = {
    grant,
    server,
    session,
    era: 'legacy',
    protocolVersion: session.protocolVersion,
    client: session.client,
    headers: [],
    mirrors: undefined,
  } as const
  const reader: Reader = { isModern: false, protocolVersion: session.protocolVersion }
  const sink = new HttpSink(response, {
    id: undefined,
    reader,
    headers: visit.headers,
    streaming: (r) =>
      visit.streams.add(r, {
        isLive: () => visit.streams.isServing() && isStillLive(visit) && isSameServer(visit),
        finish: () => {
          relay.stop()
          listening.cancel()
        },
      }),
    openSession: () => undefined,
  })
  const { lastEventId } = head
  const relay = new Listening({
    gate: visit.options.gate,
    caller,
    sink,
    isResumed: lastEventId !== undefined,
  })
  const listening = server.upstream.listen(
    {
      era: 'legacy',
      protocolVersion: session.protocolVersion,
      session: session.upstream,
      grantId: grant.id,
      headers: lastEventId === undefined ? [] : ['last-event-id', lastEventId],
    },
    relay,
  )
  response.on('close', () => {
    relay.stop()
    listening.cancel()
  })
}

/** Servers are told of the sessions that nobody uses any more. */
function endIdleSessions({ sessions, servers, snapshot }: HttpListenerOptions): void {
  for (const { server, upstream, protocolVersion, grantId } of sessions.endIdle()) {
    const entry = snapshot().servers.get(server)
    if (entry === undefined || upstream === undefined) continue
    const request = { era: 'legacy', protocolVersion, session: upstream, grantId } as const
    void servers
      .of(entry)
      .upstream.endSession({ ...request, headers: [] })
      .catch(() => {})
  }
}

function endSession(visit: Visit): void {
  const { head, server, grant, response, options } = visit
  if (head.sessionId === undefined) throw new GatewayError('session_missing')
  const session = sessionOf(visit)
  server.upstream
    .endSession({
      era: 'legacy',
      protocolVersion: session.protocolVersion,
      session: session.upstream,
      grantId: grant.id,
      headers: [],
    })
    .then(
      (status) => {
        // A server may refuse to end a session (405), which then goes on.
        if (status < 300 || status === 404) options.sessions.end(head.sessionId as string)
        response.writeHead(status, ['Content-Length', '0', ...visit.headers])
        response.end()
      },
      (cause: unknown) =>
        refuse(response, new GatewayError('upstream_unreachable', undefined, { cause }), {
          ...EARLY,
          headers: visit.headers,
        }),
    )
}
