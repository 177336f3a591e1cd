import type { ServerResponse } from 'node:http'
import type { GatewayError } from '../../core/errors.ts'
import type { Frame, FrameId } from '../../core/mcp/frame-model.ts'
import { errorReply, type Reader } from '../../core/mcp/reply.ts'
import type { AnswerSink } from '../gate.ts'
import { eventText } from '../upstream/event-stream.ts'
import type { Head, UpstreamEvent } from '../upstream/upstream.ts'

/** Comments keep proxies and clients from giving up on a silent stream. */
const KEEP_ALIVE_MS = 25_000
/** Looks after which a reader that has taken nothing of what waits for it is taken for gone: five minutes. */
const MAX_STALLED = 12
/** How long a stream may outlive the credential that opened it. */
const RECHECK_MS = 1_000

/** A stream as long as it is open. */
export interface OpenStream {
  /** False once its credential is none any more, or a stop ends it. */
  readonly isLive: () => boolean
  /** Ends what it carries, in the way that its era wants. */
  readonly finish: () => void
}

type SinkFor = (id: FrameId | undefined, reader: Reader) => AnswerSink

/** A stream and how its reader does. */
interface Watched {
  readonly stream: OpenStream
  isEnded: boolean
  /** Bytes that the connection had taken at the last look, and looks since it took any. */
  taken: number
  stalledFor: number
}

/** The event streams that are open, kept alive by one timer for all of them. */
export class Streams {
  readonly #open = new Map<ServerResponse, Watched>()
  /** False once no new client is taken: a stream that has no end of its own then ends. */
  readonly isServing: () => boolean
  readonly #keepAlive = setInterval(() => {
    for (const [response, watched] of this.#open) look(response, watched)
  }, KEEP_ALIVE_MS).unref()
  readonly #recheck = setInterval(() => {
    for (const [response, watched] of this.#open)
      if (!watched.isEnded && !watched.stream.isLive()) end(response, watched)
  }, RECHECK_MS).unref()

  constructor(isServing: () => boolean) {
    this.isServing = isServing
  }

  /** Keeps a response alive until it closes, or until it no longer `isLive`. */
  add(response: ServerResponse, stream: OpenStream): void {
    this.#open.set(response, { stream, isEnded: false, taken: -1, stalledFor: 0 })
    response.on('close', () => this.#open.delete(response))
  }

  close(): void {
    clearInterval(this.#keepAlive)
    clearInterval(this.#recheck)
    for (const [response, watched] of this.#open) if (!watched.isEnded) end(response, watched)
  }

  /**
   * Answers a batch: one event stream that carries every answer, ended by the last; 202 when there
   * is nothing to answer.
   */
  batch(
    response: ServerResponse,
    { headers, isLive, finish }: { headers: readonly string[] } & OpenStream,
    frames: readonly Frame[],
    run: (frame: Frame, index: number, sink: SinkFor) => void,
  ): void {
    if (frames.some((frame) => frame.kind === 'request')) {
      response.writeHead(200, [
        'Content-Type',
        'text/event-stream',
        'Cache-Control',
        'no-cache',
        ...headers,
      ])
      this.add(response, { isLive, finish })
    } else response.writeHead(202, ['Content-Length', '0', ...headers])
    let left = frames.length
    const ended = (): void => {
      if (--left === 0) response.end()
    }
    for (const [i, frame] of frames.entries())
      run(frame, i, (id, reader) => new BatchSink(response, id, reader, ended))
  }
}

/** Says that the stream is there; a reader that does not read is not sent more, and in the end let go. */
function look(response: ServerResponse, watched: Watched): void {
  if (!response.writableNeedDrain && !watched.isEnded) {
    watched.stalledFor = 0
    response.write(': keep-alive\n\n')
    return
  }
  const taken = response.socket?.bytesWritten ?? 0
  watched.stalledFor = taken === watched.taken ? watched.stalledFor + 1 : 0
  watched.taken = taken
  if (watched.stalledFor >= MAX_STALLED) response.destroy()
}

function end(response: ServerResponse, watched: Watched): void {
  watched.isEnded = true
  watched.stream.finish()
  if (!response.writableEnded) response.end()
}

/** Writes one element's answer as an event of the batch's stream. */
class BatchSink implements AnswerSink {
  readonly #response: ServerResponse
  readonly #id: FrameId | undefined
  readonly #reader: Reader
  readonly #ended: () => void
  readonly #chunks: Uint8Array[] = []

  constructor(
    response: ServerResponse,
    id: FrameId | undefined,
    reader: Reader,
    ended: () => void,
  ) {
    this.#response = response
    this.#id = id
    this.#reader = reader
    this.#ended = ended
  }

  openSession(): undefined {
    return undefined
  }

  reply(text: string): void {
    if (this.#id !== undefined) this.#response.write(eventText({ data: text }))
    this.#ended()
  }

  notify(): void {}

  head(_: Head): void {}

  chunk(bytes: Uint8Array): boolean {
    this.#chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    // Ids of events belong to the upstream's streams, which this one is not.
    return event.data === '' || this.#response.write(eventText({ data: event.data }))
  }

  end(): void {
    if (this.#chunks.length > 0)
      this.#response.write(eventText({ data: Buffer.concat(this.#chunks).toString('utf8') }))
    this.#ended()
  }

  fail(error: GatewayError): void {
    this.reply(errorReply(this.#id, error, this.#reader))
  }

  onDrain(resume: () => void): void {
    this.#response.on('drain', resume)
  }
}
