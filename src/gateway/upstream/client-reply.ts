import type { GatewayError } from '../../core/errors.ts'
import type { LoggedStream, StreamReader } from './event-log.ts'
import type { ReplySink, UpstreamExchange } from './upstream.ts'

/** How a client's request may be answered. */
export interface ReplyForm {
  /** The client reads event streams. */
  readonly takesEvents: boolean
  /** Opens what is kept of the stream; undefined for answers that are not kept. */
  readonly log: (() => LoggedStream) | undefined
  /** The text of an error, for whoever reads a stream again. */
  readonly errorText: (error: GatewayError) => string
  /** After this long without an answer the stream is begun, so that the client may leave and return. */
  readonly primeAfterMs: number | undefined
}

/** An answer in the forms that it can be had in. */
export interface Said {
  readonly text: string
  /** The same as a body, where that is at hand. */
  readonly bytes?: Uint8Array
}

/** After this long without an answer a stream is begun. */
export const PRIME_AFTER_MS = 50

/** How soon a client may come back for a stream that it lost. */
const RETRY_MS = '1000'

/**
 * What goes back for one request of a session: one JSON body, or a stream once anything comes before
 * the answer or the answer takes its time. A client that loses the stream can read on elsewhere.
 */
export class ClientReply {
  readonly #form: ReplyForm
  #sink: ReplySink | undefined
  #log: LoggedStream | undefined
  #state: 'new' | 'events' | 'over' = 'new'
  #timer: NodeJS.Timeout | undefined
  /** Lets the server go on; set while it waits for a reader. */
  #resume: (() => void) | undefined

  constructor(sink: ReplySink, form: ReplyForm) {
    this.#sink = sink
    this.#form = form
    if (form.primeAfterMs !== undefined && form.takesEvents)
      this.#timer = setTimeout(() => this.#prime(), form.primeAfterMs)
  }

  /** True while somebody may read what is said, now or later. */
  get isHeard(): boolean {
    return (
      this.#state !== 'over' &&
      this.#form.takesEvents &&
      (this.#sink !== undefined || this.#log !== undefined)
    )
  }

  get isOpen(): boolean {
    return this.#state !== 'over'
  }

  /** A message before the answer; false when its reader asks for a pause. */
  event(text: string): boolean {
    if (!this.isHeard) return true
    this.#begin()
    return this.#send(text)
  }

  /** The answer, in the form that fits what came before. */
  answer(said: Said): void {
    if (this.#state === 'over') return
    clearTimeout(this.#timer)
    const sink = this.#sink
    if (this.#state === 'events') {
      this.#send(said.text)
      this.#close()
      sink?.end()
      return
    }
    this.#close()
    if (sink === undefined) return
    const bytes = said.bytes ?? Buffer.from(said.text)
    sink.head({ status: 200, kind: 'json', length: bytes.length, session: undefined })
    sink.chunk(bytes)
    sink.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#state === 'over') return
    if (this.#sink === undefined) this.#log?.add(this.#form.errorText(error))
    this.#close()
    this.#sink?.fail(error, wasSent)
  }

  /** Nothing more will come, and there is no answer. */
  end(): void {
    if (this.#state === 'over') return
    if (this.#state === 'new') this.#begin()
    this.#close()
    this.#sink?.end()
  }

  /** The connection has gone; what still comes is kept where it can be read again. */
  leave(): void {
    this.#sink = undefined
    clearTimeout(this.#timer)
    this.#flow()
  }

  onDrain(resume: () => void): void {
    this.#resume = resume
    const reader = this.#sink ?? this.#log?.reader
    if (reader === undefined) queueMicrotask(() => this.#flow())
    else reader.onDrain(() => this.#flow())
  }

  /** A reader that has gone holds nobody up. */
  #flow(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }

  #begin(): void {
    if (this.#state !== 'new') return
    this.#state = 'events'
    clearTimeout(this.#timer)
    const log = this.#form.log?.()
    this.#log = log
    if (log !== undefined) {
      log.onTakenOver = () => {
        this.#sink?.end()
        this.#sink = undefined
        this.#flow()
      }
      log.onLeft = () => this.#flow()
    }
    this.#sink?.head({ status: 200, kind: 'events', length: undefined, session: undefined })
  }

  /** An event that carries nothing but the place from which the client may read on. */
  #prime(): void {
    this.#begin()
    const id = this.#log?.add('').id
    if (id !== undefined) this.#sink?.event({ data: '', id, retry: RETRY_MS })
  }

  #send(text: string): boolean {
    const added = this.#log?.add(text)
    const event = added === undefined ? { data: text } : { data: text, id: added.id }
    return this.#sink?.event(event) ?? added?.mayFlow ?? true
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#state = 'over'
    this.#log?.end()
  }
}

/** Reads a stream again from where its client lost it. */
export function resume(stream: LoggedStream, after: number, sink: ReplySink): UpstreamExchange {
  let isGone = false
  // Later, so that the caller holds the exchange before its sink is called.
  queueMicrotask(() => {
    if (isGone) return
    sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    for (const event of stream.after(after)) sink.event(event)
    if (stream.isOver()) {
      sink.end()
      return
    }
    // Whoever read it before does so no more: a message goes to one stream only.
    stream.onTakenOver?.()
    stream.reader?.end()
    stream.reader = reader
  })
  const reader: StreamReader = {
    event: (event) => sink.event(event),
    end: () => sink.end(),
    onDrain: (resumed) => sink.onDrain(resumed),
  }
  return {
    cancel() {
      isGone = true
      if (stream.reader !== reader) return
      stream.reader = undefined
      stream.onLeft?.()
    },
  }
}

/** The first revision whose clients know an event without data. */
const PRIMED_SINCE = '2025-11-25'

/** What is kept of the answer to a request, and when its stream is begun. */
export function keeping(
  method: string,
  version: string,
  { primeAfterMs, open }: { readonly primeAfterMs: number; open(): LoggedStream },
): Pick<ReplyForm, 'log' | 'primeAfterMs'> {
  // Lists are short, and are to be filtered anew whenever they are read.
  if (method.endsWith('/list')) return { log: undefined, primeAfterMs: undefined }
  return { log: open, primeAfterMs: version >= PRIMED_SINCE ? primeAfterMs : undefined }
}

/** True when the client reads an event stream as the answer; where it does not say, it does. */
export function takesEvents(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] === 'accept') return /text\/event-stream|\*\/\*/i.test(headers[i + 1] as string)
  return true
}

/** The event behind which a client wants to read on. */
export const lastEventIdIn = (headers: readonly string[]): string | undefined => {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name === 'last-event-id')
  return at < 0 ? undefined : headers[at + 1]
}
