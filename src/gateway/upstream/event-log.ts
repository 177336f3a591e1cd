import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/ports.ts'
import { makeRoom } from '../bounded.ts'

/** The bounds of what is kept for clients that lose a stream and come back. */
export interface EventLogBounds {
  readonly maxStreams: number
  readonly maxStreamEvents: number
  readonly maxStreamBytes: number
  readonly maxBytes: number
  /** How long a stream that has ended can still be read. */
  readonly keepMs: number
}

export const eventLogBounds: EventLogBounds = {
  maxStreams: 10_000,
  maxStreamEvents: 256,
  maxStreamBytes: 4 << 20,
  maxBytes: 64 << 20,
  keepMs: 5 * 60_000,
}

/** One event as it was sent. */
export interface LoggedEvent {
  readonly id: string
  readonly data: string
}

/** The events of one stream; the oldest are forgotten first. */
export interface LoggedStream {
  /** Remembers an event, gives its id, and tells whoever reads the stream again. */
  add(data: string): Added
  /** Every event kept behind the one with this number. */
  after(number: number): readonly LoggedEvent[]
  /** Nothing more will come. */
  end(): void
  isOver(): boolean
  /** Told of what comes while somebody reads the stream again. */
  reader: StreamReader | undefined
  /** Told when somebody begins to read the stream again, and when nobody does any more. */
  onTakenOver: (() => void) | undefined
  onLeft: (() => void) | undefined
}

/** An event that was remembered; `mayFlow` is false when the reader asks for a pause. */
export interface Added {
  readonly id: string
  readonly mayFlow: boolean
}

/** Who reads a stream that its first reader has lost. */
export interface StreamReader {
  event(event: LoggedEvent): boolean
  end(): void
  onDrain(resume: () => void): void
}

/** What is kept of the streams of all sessions: in memory and bounded, so that any of it may be gone. */
export class EventLog {
  readonly #bounds: EventLogBounds
  readonly #clock: Clock
  readonly #streams = new Map<string, Stream>()
  #bytes = 0

  constructor(clock: Clock, bounds: EventLogBounds = eventLogBounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  /** A new stream of an owner, who alone can read it again. */
  open(owner: string): LoggedStream {
    this.#forgetExpired()
    if (this.#streams.size >= this.#bounds.maxStreams)
      for (const oldest of [...this.#streams.values()].slice(0, 1)) this.#forget(oldest)
    const stream = new Stream(
      randomBytes(9).toString('base64url'),
      owner,
      this.#bounds,
      this.#clock,
      (grown) => {
        this.#bytes += grown
        if (this.#bytes > this.#bounds.maxBytes) this.#shrink(stream)
      },
    )
    this.#streams.set(stream.key, stream)
    return stream
  }

  /** The stream that an event id is of, and the event's number in it; undefined when it is gone. */
  find(owner: string, id: string): { stream: LoggedStream; number: number } | undefined {
    this.#forgetExpired()
    const found = /^([\w-]{12})\.(\d{1,9})$/.exec(id)
    const stream = found === null ? undefined : this.#streams.get(found[1] as string)
    return stream?.owner === owner ? { stream, number: Number(found?.[2]) } : undefined
  }

  /** Forgets what an owner could read. */
  leave(owner: string): void {
    for (const stream of [...this.#streams.values()])
      if (stream.owner === owner) this.#forget(stream)
  }

  #forget(stream: Stream): void {
    if (this.#streams.delete(stream.key)) this.#bytes -= stream.bytes
    stream.clear()
  }

  #forgetExpired(): void {
    const before = this.#clock.now() - this.#bounds.keepMs
    for (const stream of this.#streams.values()) {
      // Streams end in about the order in which they begin: one look at the oldest is enough.
      if (stream.endedAt === undefined || stream.endedAt > before) return
      this.#forget(stream)
    }
  }

  /** The owner's own that have ended go first, then those of others, then whatever is oldest. */
  #shrink(growing: Stream): void {
    const isEnded = ({ endedAt }: Stream): boolean => endedAt !== undefined
    const turns: readonly ((stream: Stream) => boolean)[] = [
      (stream) => isEnded(stream) && stream.owner === growing.owner,
      isEnded,
      () => true,
    ]
    for (const mayGo of turns)
      for (const stream of [...this.#streams.values()]) {
        if (this.#bytes <= this.#bounds.maxBytes) return
        if (stream !== growing && mayGo(stream)) this.#forget(stream)
      }
  }
}

class Stream implements LoggedStream {
  readonly key: string
  readonly owner: string
  readonly #bounds: EventLogBounds
  readonly #clock: Clock
  readonly #grow: (bytes: number) => void
  readonly #events = new Map<number, string>()
  #next = 0
  #isForgotten = false
  bytes = 0
  endedAt: number | undefined
  reader: StreamReader | undefined
  onTakenOver: (() => void) | undefined
  onLeft: (() => void) | undefined

  constructor(
    key: string,
    owner: string,
    bounds: EventLogBounds,
    clock: Clock,
    grow: (bytes: number) => void,
  ) {
    this.key = key
    this.owner = owner
    this.#bounds = bounds
    this.#clock = clock
    this.#grow = grow
  }

  add(data: string): Added {
    const number = this.#next++
    const id = `${this.key}.${number}`
    if (!this.#isForgotten) this.#keep(number, data)
    return { id, mayFlow: this.reader?.event({ id, data }) ?? true }
  }

  #keep(number: number, data: string): void {
    makeRoom(this.#events, this.#bounds.maxStreamEvents)
    const before = this.bytes
    this.#events.set(number, data)
    // Counted anew after what had to go; strings take two bytes a character at most.
    let bytes = 0
    for (const kept of this.#events.values()) bytes += kept.length * 2
    for (const [oldest, kept] of this.#events) {
      if (bytes <= this.#bounds.maxStreamBytes) break
      this.#events.delete(oldest)
      bytes -= kept.length * 2
    }
    this.bytes = bytes
    this.#grow(bytes - before)
  }

  after(number: number): readonly LoggedEvent[] {
    return [...this.#events]
      .filter(([at, data]) => at > number && data !== '')
      .map(([at, data]) => ({ id: `${this.key}.${at}`, data }))
  }

  end(): void {
    this.endedAt ??= this.#clock.now()
    this.reader?.end()
    this.reader = undefined
  }

  isOver(): boolean {
    return this.endedAt !== undefined
  }

  clear(): void {
    this.#isForgotten = true
    this.#events.clear()
    this.bytes = 0
  }
}
