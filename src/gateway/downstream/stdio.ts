import { isUtf8 } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import { parseFrame } from '../../core/mcp/frame.ts'
import type { Frame, FrameId } from '../../core/mcp/frame-model.ts'
import { errorReply, type Reader } from '../../core/mcp/reply.ts'
import { isModernVersion, META_KEYS } from '../../core/mcp/revisions.ts'
import type { Grant } from '../../core/snapshot.ts'
import { type Caller, type Gate, idOf, type OpenServer } from '../gate.ts'
import { toHeader } from '../mirror.ts'
import { Exchange } from '../pipeline.ts'
import type { LiveSession } from '../sessions.ts'
import { createLineFraming, idFromEnds } from '../upstream/line-framing.ts'
import type { Era } from '../upstream/upstream.ts'
import { createLineWriter } from './stdio-lines.ts'
import { keepListening } from './stdio-listen.ts'
import { StdioSink } from './stdio-sink.ts'

/** What a stdio listener is made of. */
export interface StdioListenerOptions {
  readonly gate: Gate
  readonly server: OpenServer
  /** The grant as it is now; asked for every frame, so that a changed policy is in force at once. */
  readonly grant: () => Grant
  readonly input: Readable
  readonly output: Writable
  /** Bytes of one message. */
  readonly maxFrameBytes: number
  /** How long what is in flight may take once the client has closed our stdin. */
  readonly drainMs: number
}

/** One client over stdin and stdout. */
export interface StdioListener {
  /** Resolves when the client has gone and what was in flight has ended, or has had its time. */
  readonly ended: Promise<void>
  /** Errors of exchanges so far, by code. */
  failures(): ReadonlyMap<string, number>
  /** Stops reading, drops what is in flight and ends the session; resolves when all is written. */
  close(): Promise<void>
}

/** Exchanges at once; more wait in the pipe. */
const MAX_IN_FLIGHT = 1_000
const ACCEPT = ['accept', 'application/json, text/event-stream']
const NOBODY = { name: '', version: '' }

interface InFlight {
  readonly frame: Frame
  readonly era: Era
  readonly exchange: Exchange
  readonly sink: StdioSink
}

/** Serves one client: every line of `input` goes through the pipeline, `output` gets the answers. */
export function serveStdio(options: StdioListenerOptions): StdioListener {
  const { gate, server, input } = options
  const writer = createLineWriter(options.output)
  const inFlight = new Set<InFlight>()
  const failures = new Map<string, number>()
  /** Frames behind an `initialize` that has no answer yet. */
  let held: Frame[] = []
  let isInitializing = false
  let session: LiveSession | undefined
  let client = NOBODY
  let listening: { stop(): void } | undefined
  let isAtEnd = false
  let isClosed = false
  let resolveEnded = (): void => {}
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve
  })

  const reader = (): Reader => ({
    isModern: false,
    protocolVersion: session?.protocolVersion ?? '2025-11-25',
  })
  const refuse = (id: FrameId | undefined, error: GatewayError): void =>
    void writer.write(errorReply(id, error, reader()))

  /** Reads on only while there is room for what comes of it. */
  function pace(): void {
    const isFull = inFlight.size + held.length >= MAX_IN_FLIGHT
    if (isFull || isClosed) input.pause()
    else if (options.output.writableNeedDrain) {
      input.pause()
      writer.onDrain(pace)
    } else if (input.isPaused()) input.resume()
    if (isAtEnd && inFlight.size === 0 && held.length === 0) resolveEnded()
  }

  function onLine(bytes: Buffer): void {
    if (isClosed) return
    const parsed = isUtf8(bytes)
      ? parseFrame(bytes.toString('utf8'))
      : ({ ok: false, code: 'frame_not_json', detail: 'not UTF-8', id: undefined } as const)
    if (parsed.ok) accept(parsed.frame)
    else refuse(parsed.id, new GatewayError(parsed.code, parsed.detail))
  }

  function accept(frame: Frame): void {
    const version = versionOf(frame)
    if (version !== undefined) {
      if (isModernVersion(version)) run(frame, modernCaller(frame, version))
      else refuse(idOf(frame), new GatewayError('version_unsupported', version.slice(0, 128)))
    } else if (isInitializing) held.push(frame)
    else legacy(frame)
    pace()
  }

  function legacy(frame: Frame): void {
    if (frame.kind === 'request' && frame.method === 'initialize') {
      isInitializing = true
      client = clientOf(member(frame.params, 'clientInfo'))
      endSession()
    }
    run(frame, {
      ...callerOf(),
      era: 'legacy',
      protocolVersion: legacyVersion(frame),
      session,
      client,
    })
  }

  const legacyVersion = (frame: Frame): string => {
    const asked = frame.kind === 'request' ? member(frame.params, 'protocolVersion') : undefined
    return session?.protocolVersion ?? (typeof asked === 'string' ? asked : '2025-11-25')
  }
  const callerOf = () => ({
    grant: options.grant(),
    server,
    headers: ACCEPT,
    mirrors: undefined,
  })
  const modernCaller = (frame: Frame, protocolVersion: string): Caller => ({
    ...callerOf(),
    era: 'modern',
    protocolVersion,
    session: undefined,
    client: clientOf(member(metaOf(frame), META_KEYS.client)),
    headers: [...ACCEPT, ...paramHeaders(server, frame)],
  })

  function run(frame: Frame, caller: Caller): void {
    if (frame.kind === 'notification' && frame.method === 'notifications/cancelled') {
      const cancelled = find(member(frame.params, 'requestId'))
      if (cancelled !== undefined) forgo(cancelled)
      // The upstream is told by the exchange itself in the stateless era.
      if ((cancelled?.era ?? caller.era) === 'modern') return
    }
    const sink = new StdioSink({
      frame,
      reader: { isModern: caller.era === 'modern', protocolVersion: caller.protocolVersion },
      writer,
      openSession: (upstream, protocolVersion) => {
        session = {
          id: gate.newId(),
          server: server.entry.name,
          grantId: caller.grant.id,
          upstream,
          protocolVersion,
          client,
          asked: new Set(),
        }
        return undefined
      },
      over(error) {
        inFlight.delete(one)
        if (error !== undefined) failures.set(error.code, (failures.get(error.code) ?? 0) + 1)
        afterwards(frame)
      },
    })
    const one: InFlight = {
      frame,
      era: caller.era,
      sink,
      exchange: new Exchange(gate, caller, frame, sink),
    }
    inFlight.add(one)
    // `run` turns everything thrown into an answer.
    void one.exchange.run().catch(() => sink.fail(new GatewayError('internal')))
  }

  function afterwards(frame: Frame): void {
    if (frame.kind === 'request' && frame.method === 'initialize') {
      isInitializing = false
      const waiting = held
      held = []
      for (const next of waiting) accept(next)
    }
    if (frame.kind === 'notification' && frame.method === 'notifications/initialized')
      if (session !== undefined && listening === undefined && !isClosed)
        listening = keepListening(server, session, writer)
    pace()
  }

  const find = (id: unknown): InFlight | undefined =>
    [...inFlight].find(({ frame }) => frame.kind === 'request' && frame.id === id)

  /** The client wants no answer: nothing more is executed for it, and nothing written. */
  function forgo(one: InFlight): void {
    // `initialize` can't be cancelled.
    if (one.frame.kind === 'request' && one.frame.method === 'initialize') return
    one.sink.isForgone = true
    one.exchange.cancel()
    one.sink.fail(new GatewayError('internal', 'cancelled'))
  }

  function endSession(): void {
    listening?.stop()
    listening = undefined
    const old = session
    session = undefined
    if (old === undefined) return
    const { upstream, protocolVersion, grantId } = old
    const request = {
      era: 'legacy',
      protocolVersion,
      session: upstream,
      grantId,
      headers: [],
    } as const
    void server.upstream.endSession(request).catch(() => {})
  }

  const framing = createLineFraming(options.maxFrameBytes, {
    line: onLine,
    tooLong: (head, tail) => refuse(idFromEnds(head, tail), new GatewayError('frame_too_large')),
  })
  const atEnd = (): void => {
    if (isAtEnd) return
    isAtEnd = true
    framing.end()
    setTimeout(resolveEnded, options.drainMs).unref()
    pace()
  }
  input.on('data', (chunk: Buffer) => framing.push(chunk))
  input.once('end', atEnd)
  input.once('error', atEnd)
  // Without a reader there is nobody to work for.
  options.output.once('error', () => resolveEnded())

  return {
    ended,
    failures: () => failures,
    async close() {
      isClosed = true
      input.pause()
      for (const one of inFlight) {
        one.exchange.cancel()
        one.sink.fail(new GatewayError('upstream_lost', 'the gateway is stopping'))
      }
      endSession()
      resolveEnded()
      await writer.flush()
    },
  }
}

const NONE: JsonObject = {}

function metaOf(frame: Frame): JsonObject {
  const meta = frame.kind === 'response' ? undefined : member(frame.params, '_meta')
  return isObject(meta) ? meta : NONE
}

/** The revision that a stateless frame names; frames of a session name none. */
function versionOf(frame: Frame): string | undefined {
  const version = member(metaOf(frame), META_KEYS.version)
  return typeof version === 'string' ? version : undefined
}

function clientOf(info: unknown): { name: string; version: string } {
  if (!isObject(info)) return NOBODY
  const { name, version } = info
  return {
    name: typeof name === 'string' ? name : '',
    version: typeof version === 'string' ? version : '',
  }
}

/** The headers by which a stateless HTTP upstream wants arguments repeated. */
function paramHeaders(server: OpenServer, frame: Frame): string[] {
  if (frame.kind !== 'request' || frame.method !== 'tools/call') return []
  const name = member(frame.params, 'name')
  const known = typeof name === 'string' ? server.catalogue.find(name) : undefined
  return (known?.mirrored ?? []).flatMap(({ path, header }) => {
    let value: unknown = member(frame.params, 'arguments')
    for (const key of path) value = isObject(value) ? member(value, key) : undefined
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [header, toHeader(String(value))]
      : []
  })
}
