import { GatewayError } from '../../core/errors.ts'
import { type JsonObject, member } from '../../core/json/json.ts'
import type { Log } from '../../core/log.ts'
import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import type { Clock } from '../../core/ports.ts'
import { lastEventIdIn, PRIME_AFTER_MS } from '../upstream/client-reply.ts'
import { EventLog } from '../upstream/event-log.ts'
import { acknowledge, createReply, refuse } from '../upstream/reply.ts'
import { skimPath, textOf } from '../upstream/skim.ts'
import type {
  ReplySink,
  Upstream,
  UpstreamExchange,
  UpstreamRequest,
} from '../upstream/upstream.ts'
import { Discovery, initializeResult } from './legacy-over-modern/discovery.ts'
import { type Around, aroundModern, askOwn } from './legacy-over-modern/own-questions.ts'
import { Session, type SessionMeans } from './legacy-over-modern/session.ts'
import {
  decodeSession,
  encodeSession,
  factsOf,
  type SessionFacts,
} from './legacy-over-modern/session-id.ts'
import { SessionTable } from './legacy-over-modern/session-table.ts'
import { type Stamp, stampOf } from './legacy-over-modern/stamp.ts'
import { ToolTable } from './legacy-over-modern/tool-table.ts'

/** What the bridge stands on. */
export interface LegacyOverModernMeans {
  /** The server's name, for the log. */
  readonly name: string
  readonly log: Log
  readonly clock: Clock
  /** The server is reached over HTTP, where headers repeat what tools declare of their arguments. */
  readonly mirrorsArguments: boolean
  /** How long a request may take before its client can leave and come back for the answer. */
  readonly primeAfterMs?: number
}

const MAX_PAGES = 100
/** How often the server is asked again for a tool that it did not list. */
const RELEARN_MS = 5_000
const LEVELS = new Set<unknown>(
  'debug info notice warning error critical alert emergency'.split(' '),
)
/** Requests that a stateless server has under the same name. */
const NOT_BRIDGED = /^(tasks\/|server\/|subscriptions\/)/
const NONE: UpstreamExchange = { cancel() {} }

/**
 * A face with sessions (up to 2025-11-25) over a stateless server. The session is in its id; what is
 * kept of it here is only what is under way, and what the client set since it was opened. Closing it
 * ends what went through it; the server below stays open, for it is not ours.
 */
export function createLegacyOverModern(inner: Upstream, means: LegacyOverModernMeans): Upstream {
  const { clock, log, name } = means
  const discovery = new Discovery(clock)
  const sessions = new SessionTable<Session>()
  const tools = new ToolTable(means.mirrorsArguments, (tool, reason) =>
    log('warn', { event: 'tool.unreachable', upstream: name, tool, reason }),
  )
  let learning: Promise<void> | undefined
  let learnedAt = Number.NEGATIVE_INFINITY
  let isClosed = false

  const ask = (around: Around, stamp: Stamp) => (method: string, params: JsonObject) =>
    askOwn(inner, aroundModern(around), stamp, { method, params })

  const sessionMeans: SessionMeans = {
    inner,
    clock,
    tools,
    log: new EventLog(clock),
    primeAfterMs: means.primeAfterMs ?? PRIME_AFTER_MS,
    learnTools,
    serverCapabilities: async ({ around, stamp }) =>
      (await discovery.of(around.grantId, ask(around, stamp))).capabilities,
    onVersionRefused: ({ around }) => discovery.forget(around.grantId),
  }

  /** Fills the table from the server's list; a list that can't be read leaves it as it is. */
  function learnTools({ around, stamp }: Session, isUrgent: boolean): Promise<void> {
    if (learning !== undefined) return learning
    if (!isUrgent && clock.now() - learnedAt < RELEARN_MS) return Promise.resolve()
    learning = readTools(ask(around, stamp))
      .catch(() => {})
      .finally(() => {
        learning = undefined
        learnedAt = clock.now()
      })
    return learning
  }

  async function readTools(asking: ReturnType<typeof ask>): Promise<void> {
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page++) {
      const text = await asking('tools/list', typeof cursor === 'string' ? { cursor } : {})
      const list = skimPath(text, 'result', 'tools')
      if (list === undefined) return
      tools.plainList(textOf(text, list))
      const next = skimPath(text, 'result', 'nextCursor')
      cursor = next === undefined ? undefined : parseJson(textOf(text, next))
      if (typeof cursor !== 'string') return
    }
  }

  function initialize(request: UpstreamRequest, frame: RequestFrame, sink: ReplySink): void {
    const reply = createReply(sink)
    const facts = factsOf(frame.params, false)
    discovery.of(request.grantId, ask(request, stampOf(facts, undefined))).then(
      (found) => {
        const hasLogging = member(found.capabilities, 'logging') !== undefined
        const id = encodeSession({ ...facts, hasLogging })
        answer(sink, frame, initializeResult(found, facts.version), id)
      },
      (thrown: unknown) =>
        reply.fail(thrown instanceof GatewayError ? thrown : new GatewayError('internal'), false),
    )
  }

  /** The live session of an id. @throws GatewayError `session_missing`, `session_unknown`. */
  function sessionOf(request: Around): Session {
    const { session: id, grantId } = request
    if (isClosed) throw new GatewayError('upstream_unreachable', 'the gateway is stopping')
    if (id === undefined) throw new GatewayError('session_missing')
    const key = JSON.stringify([grantId, id])
    const known = sessions.find(key)
    if (known !== undefined) return known
    const facts: SessionFacts | undefined = decodeSession(id)
    if (facts === undefined) throw new GatewayError('session_unknown')
    const session = new Session(key, facts, request, sessionMeans)
    sessions.add(session)
    return session
  }

  function request(
    session: Session,
    around: UpstreamRequest,
    frame: RequestFrame,
    sink: ReplySink,
  ) {
    const { method, params } = frame
    if (method === 'ping') answer(sink, frame, '{}')
    else if (method === 'initialize')
      refuse(sink, new GatewayError('frame_invalid', 'the session is initialized already'))
    else if (method === 'logging/setLevel') setLevel(session, frame, sink)
    else if (method === 'resources/subscribe' || method === 'resources/unsubscribe')
      watch(session, member(params, 'uri'), frame, sink)
    else if (NOT_BRIDGED.test(method)) refuse(sink, new GatewayError('method_unknown'))
    else return session.call(around, frame, sink)
    return NONE
  }

  function setLevel(session: Session, frame: RequestFrame, sink: ReplySink): void {
    const level = member(frame.params, 'level')
    if (!session.facts.hasLogging) refuse(sink, new GatewayError('method_unknown'))
    else if (typeof level !== 'string' || !LEVELS.has(level))
      refuse(sink, new GatewayError('params_invalid', 'no such level'))
    else {
      session.setLevel(level)
      answer(sink, frame, '{}')
    }
  }

  function watch(session: Session, uri: unknown, frame: RequestFrame, sink: ReplySink): void {
    if (typeof uri !== 'string') {
      refuse(sink, new GatewayError('params_invalid', '`uri` must be a string'))
      return
    }
    session.watch(uri, frame.method === 'resources/subscribe').then(
      (isAgreed) =>
        isAgreed
          ? answer(sink, frame, '{}')
          : refuse(sink, new GatewayError('params_invalid', 'the server does not watch this')),
      (thrown: unknown) =>
        refuse(sink, thrown instanceof GatewayError ? thrown : new GatewayError('internal')),
    )
  }

  return {
    exchange(own, sink) {
      if (own.era === 'modern') return inner.exchange(own, sink)
      const { frame } = own
      try {
        if (
          frame.kind === 'request' &&
          frame.method === 'initialize' &&
          own.session === undefined
        ) {
          initialize(own, frame, sink)
          return NONE
        }
        const session = sessionOf(own)
        if (frame.kind === 'request') return request(session, own, frame, sink)
        if (frame.kind === 'notification') session.notified(frame)
        else if (!session.answered(frame)) throw new GatewayError('response_unexpected')
        acknowledge(sink)
      } catch (thrown) {
        if (!(thrown instanceof GatewayError)) throw thrown
        refuse(sink, thrown)
      }
      return NONE
    },
    listen(own, sink) {
      if (own.era === 'modern') return inner.listen(own, sink)
      try {
        return sessionOf(own).listen(lastEventIdIn(own.headers), sink)
      } catch (thrown) {
        if (!(thrown instanceof GatewayError)) throw thrown
        refuse(sink, thrown)
        return NONE
      }
    },
    async endSession(own) {
      if (own.era === 'modern') return inner.endSession(own)
      try {
        const session = sessionOf(own)
        sessions.end(session, new GatewayError('session_unknown', 'the session has ended'))
        return 200
      } catch (thrown) {
        if (thrown instanceof GatewayError) return 404
        throw thrown
      }
    },
    async close() {
      isClosed = true
      sessions.close(new GatewayError('upstream_unreachable', 'the gateway is stopping'))
    },
  }
}

/** Answers a request from here, once the caller holds its exchange. */
function answer(sink: ReplySink, { id }: RequestFrame, result: string, session?: string): void {
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
  queueMicrotask(() =>
    createReply(sink, session).answer({ text, bytes: Buffer.from(text, 'utf8') }),
  )
}
