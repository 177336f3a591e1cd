import { isUtf8 } from 'node:buffer'
import type { Readable, Writable } from 'node:stream'
import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import { parseFrame } from '../../core/mcp/frame.ts'
import type { Frame, FrameId } from '../../core/mcp/frame-model.ts'
import { errorReply } from '../../core/mcp/reply.ts'
import { isModernVersion, META_KEYS } from '../../core/mcp/revisions.ts'
import type { Grant } from '../../core/snapshot.ts'
import { type Caller, type Gate, idOf, type OpenServer } from '../gate.ts'
import { toHeader } from '../mirror.ts'
import { createLineFraming, idFromEnds } from '../upstream/line-framing.ts'
import { createDialogue } from './dialogue.ts'
import { clientOf } from './era.ts'
import { createLineWriter } from './stdio-lines.ts'

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

/** Serves one client: every line of `input` goes through the pipeline, `output` gets the answers. */
export function serveStdio(options: StdioListenerOptions): StdioListener {
  const { gate, server, input } = options
  const writer = createLineWriter(options.output)
  const dialogue = createDialogue({ gate, server, writer, changed: () => pace() })
  const failures = new Map<string, number>()
  let isAtEnd = false
  let isClosed = false
  let resolveEnded = (): void => {}
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve
  })

  const refuse = (id: FrameId | undefined, error: GatewayError): void =>
    void writer.write(errorReply(id, error, dialogue.reader()))

  /** Reads on only while there is room for what comes of it. */
  function pace(): void {
    const isFull = dialogue.size() >= MAX_IN_FLIGHT
    if (isFull || isClosed) input.pause()
    else if (options.output.writableNeedDrain) {
      input.pause()
      writer.onDrain(pace)
    } else if (input.isPaused()) input.resume()
    if (isAtEnd && dialogue.size() === 0) resolveEnded()
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
      if (isModernVersion(version)) dialogue.run(frame, modernCaller(frame, version), over)
      else refuse(idOf(frame), new GatewayError('version_unsupported', version.slice(0, 128)))
    } else dialogue.accept(frame, senderOf(), over)
    pace()
  }

  const over = (error: GatewayError | undefined): void => {
    if (error !== undefined) failures.set(error.code, (failures.get(error.code) ?? 0) + 1)
  }
  const senderOf = () => ({ grant: options.grant(), server, headers: ACCEPT })
  const modernCaller = (frame: Frame, protocolVersion: string): Caller => ({
    ...senderOf(),
    mirrors: undefined,
    era: 'modern',
    protocolVersion,
    session: undefined,
    client: clientOf(member(metaOf(frame), META_KEYS.client)),
    envelope: metaOf(frame),
    headers: [...ACCEPT, ...paramHeaders(server, frame)],
  })

  const framing = createLineFraming(options.maxFrameBytes, {
    line: onLine,
    tooLong: (head, tail) => refuse(idFromEnds(head, tail), new GatewayError('frame_too_large')),
  })
  const atEnd = (): void => {
    if (isAtEnd) return
    isAtEnd = true
    framing.end()
    // What has no end of its own would hold up the end.
    dialogue.endStreams()
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
      dialogue.close()
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
