import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../../core/errors.ts'
import { type FrameResult, parseFrame } from '../../core/mcp/frame.ts'
import type { Frame, FrameId } from '../../core/mcp/frame-model.ts'
import type { Reader } from '../../core/mcp/reply.ts'
import type { Grant } from '../../core/snapshot.ts'
import { answerIdOf, type Gate, type OpenServer } from '../gate.ts'
import { mirrorMismatch } from '../mirror.ts'
import { splitBatch } from './batch.ts'
import { createDialogue, type Dialogue, type Sender } from './dialogue.ts'
import { namesRevision, requireLegacyHeader } from './era.ts'
import { createEventWriter, type EventWriter } from './event-writer.ts'
import { readBody } from './http-body.ts'
import { type HttpHead, requireJson } from './http-head.ts'
import { EVENT_HEADERS } from './http-sink.ts'
import type { Streams } from './streams.ts'

/** One authenticated request to an HTTP+SSE endpoint. */
export interface SseVisit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: HttpHead
  /** Response headers of every answer: name, value, … */
  readonly headers: readonly string[]
  readonly grant: Grant
  readonly server: OpenServer
  /** True while the credential, and the server, are what they were. */
  isStillLive(): boolean
  /** Ends the request with an error. */
  refuse(thrown: unknown, id?: FrameId, reader?: Reader): void
}

/** One client: its event stream, and what it may say. */
interface SseSession {
  readonly grantId: string
  readonly server: string
  readonly dialogue: Dialogue
  readonly writer: EventWriter
}

/** How many streams may be open. */
export interface SseBounds {
  readonly sessions: number
  readonly ofGrant: number
}
const BOUNDS: SseBounds = { sessions: 10_000, ofGrant: 1_000 }
/** Frames of one session at once. */
const MAX_IN_FLIGHT = 1_000
const ACCEPT = ['accept', 'application/json, text/event-stream']
const MESSAGES_QUERY = /^[^?]*\?sessionId=([A-Za-z0-9_-]{22})$/

/** The clients over HTTP+SSE (2024-11-05): one event stream each, and messages that are posted. */
export class SseSessions {
  readonly #gate: Gate
  readonly #streams: Streams
  readonly #bounds: SseBounds
  readonly #byId = new Map<string, SseSession>()

  constructor(gate: Gate, streams: Streams, bounds: SseBounds = BOUNDS) {
    this.#gate = gate
    this.#streams = streams
    this.#bounds = bounds
  }

  /**
   * Opens an event stream, and says on it where messages go. The session lives as long as its stream.
   * @throws GatewayError `too_busy`.
   */
  open(visit: SseVisit): void {
    const { response, headers, grant, server, request } = visit
    this.#requireRoom(grant.id)
    // 128 random bits: nobody can guess another's session, and the grant is compared as well.
    const id = randomBytes(16).toString('base64url')
    const writer = createEventWriter(response)
    const dialogue = createDialogue({
      gate: this.#gate,
      server,
      writer,
      changed: () => {
        if (!this.#streams.isServing() && dialogue.size() === 0) response.end()
      },
    })
    const end = (): void => {
      this.#byId.delete(id)
      dialogue.close()
    }
    this.#byId.set(id, { grantId: grant.id, server: server.entry.name, dialogue, writer })
    response.on('close', end)
    response.writeHead(200, [...EVENT_HEADERS, ...headers])
    this.#streams.add(response, {
      // While the gateway stops, what is in flight still gets its answer.
      isLive: () => visit.isStillLive() && (this.#streams.isServing() || dialogue.size() > 0),
      finish: end,
    })
    const path = (request.url ?? '').replace(/\/sse(?:\?.*)?$/, '/messages')
    response.write(`event: endpoint\ndata: ${path}?sessionId=${id}\n\n`)
  }

  #requireRoom(grantId: string): void {
    let own = 0
    for (const session of this.#byId.values()) if (session.grantId === grantId) own++
    if (this.#byId.size >= this.#bounds.sessions || own >= this.#bounds.ofGrant)
      throw new GatewayError('too_busy', 'too many event streams are open')
  }

  /**
   * Takes a message for a session; its answer goes to the session's stream.
   * @throws GatewayError before the body is read.
   */
  post(visit: SseVisit): void {
    const session = this.#find(visit)
    requireLegacyHeader(visit.head.protocolVersion)
    requireJson(visit.head)
    readBody(visit.request, (body) => {
      if (body.ok) receive(visit, session, body.text)
      else visit.refuse(body.error)
    })
  }

  /** The session of a request; somebody else's does not exist for this caller. */
  #find({ request, grant, server }: SseVisit): SseSession {
    const url = request.url ?? ''
    if (!url.includes('?')) throw new GatewayError('session_missing')
    const session = this.#byId.get(MESSAGES_QUERY.exec(url)?.[1] ?? '')
    if (session?.grantId !== grant.id || session.server !== server.entry.name)
      throw new GatewayError('session_unknown')
    return session
  }
}

function receive(visit: SseVisit, { dialogue, writer }: SseSession, text: string): void {
  const parsed = parseFrame(text)
  try {
    const frames = parsed.ok
      ? [parsed.frame]
      : splitBatch(text, dialogue.session()?.protocolVersion)
    if (frames === undefined) throw errorOf(parsed)
    for (const frame of frames) requirePlain(frame, visit.head)
    const asks = frames.some(({ kind }) => kind === 'request')
    if (dialogue.size() + frames.length > MAX_IN_FLIGHT || (asks && writer.isBehind()))
      throw new GatewayError('too_busy', 'answers wait to be read')
    const [only] = frames
    if (asks || frames.length > 1 || only === undefined) {
      taken(visit)
      for (const frame of frames) dialogue.accept(frame, senderOf(visit))
    } else
      dialogue.accept(only, senderOf(visit), (error) => {
        if (error === undefined) taken(visit)
        else visit.refuse(error, undefined, dialogue.reader())
      })
  } catch (thrown) {
    visit.refuse(thrown, parsed.ok ? answerIdOf(parsed.frame) : parsed.id, dialogue.reader())
  }
}

const errorOf = (parsed: FrameResult): GatewayError =>
  parsed.ok ? new GatewayError('frame_invalid') : new GatewayError(parsed.code, parsed.detail)

/** Refuses what belongs to another transport or era, or says two things at once. */
function requirePlain(frame: Frame, head: HttpHead): void {
  // The question whether we speak the stateless era gets the answer that it would get of a server.
  const isProbe = frame.kind === 'request' && frame.method === 'server/discover'
  if (namesRevision(frame) && !isProbe)
    throw new GatewayError('request_refused', 'HTTP+SSE carries no stateless messages')
  const mismatch = mirrorMismatch(frame, head.mirrors, false)
  if (mismatch !== undefined) throw new GatewayError('header_mismatch', mismatch)
}

/** The message was taken; what comes of it comes on the stream. */
function taken({ response, headers }: SseVisit): void {
  response.writeHead(202, ['Content-Length', '0', ...headers])
  response.end()
}

const senderOf = ({ grant, server, head }: SseVisit): Sender => ({
  grant,
  server,
  headers: [
    ...ACCEPT,
    ...head.passing.filter((_, i) => /^trace/.test(head.passing[i - (i % 2)] as string)),
  ],
})
