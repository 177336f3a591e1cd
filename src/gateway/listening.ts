import type { GatewayError } from '../core/errors.ts'
import { isObject, type JsonObject, member } from '../core/json/json.ts'
import { LISTED_KINDS } from '../core/mcp/capabilities.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import { mayAskClient, mayTell } from './answers/notices.ts'
import type { AnswerSink, Caller, Gate } from './gate.ts'
import { grantNow } from './grant-now.ts'
import { changeMethod, noteChange } from './list-changes.ts'
import { OWN_ID } from './refresh.ts'
import { replayed } from './replayed.ts'
import { type LiveSession, rememberAsked } from './sessions.ts'
import type { Head, ReplySink, UpstreamEvent } from './upstream/upstream.ts'

/** What a stream of a session's own is opened with. */
export interface ListeningOptions {
  readonly gate: Gate
  readonly caller: Caller & { readonly session: LiveSession }
  readonly sink: AnswerSink
  /** The client goes on from an event: the server may send again what was an answer elsewhere. */
  readonly isResumed: boolean
}

/**
 * The stream of a session's messages that belong to no request. A server that has none is stood in for,
 * so that the client can be told when its lists change.
 */
export class Listening implements ReplySink {
  readonly #o: ListeningOptions
  #isOpen = false
  #isOver = false
  #close: (() => void) | undefined

  constructor(options: ListeningOptions) {
    this.#o = options
  }

  /** The client has gone. */
  stop(): void {
    this.#isOver = true
    this.#close?.()
  }

  head(head: Head): void {
    // Servers repeat their session id, which is not the client's.
    this.#o.sink.head({ ...head, session: undefined })
    if (head.kind === 'events') this.#open()
  }

  #open(): void {
    const { gate, caller, sink } = this.#o
    this.#isOpen = true
    // Members of a stack tell of their lists themselves.
    if (caller.grant.stack !== undefined) return
    this.#close = gate.channels.open(gate, {
      caller,
      kinds: LISTED_KINDS,
      reader: caller.session,
      since: caller.session.policy,
      grant: () => grantNow(gate, caller),
      tell: (kind) => sink.notify(JSON.stringify({ jsonrpc: '2.0', method: changeMethod(kind) })),
    })
  }

  chunk(bytes: Uint8Array): boolean {
    return this.#o.sink.chunk(bytes)
  }

  event(event: UpstreamEvent): boolean {
    const { sink } = this.#o
    if (event.data === '') return sink.event(event)
    const message = parse(event.data)
    const data = message === undefined ? undefined : this.#passing(message, event.data)
    // What is not a message for this stream goes no further.
    return data === undefined || sink.event({ ...event, data })
  }

  /** The text that goes on; undefined when nothing does. */
  #passing(message: JsonObject, text: string): string | undefined {
    const { gate, caller, isResumed } = this.#o
    if (member(message, 'jsonrpc') !== '2.0') return undefined
    const [method, id] = [member(message, 'method'), member(message, 'id')]
    if (method === undefined) {
      // What the gateway itself asked in this session is not the client's to read.
      const isOwn = typeof id === 'string' && id.startsWith(OWN_ID)
      return isResumed && id !== undefined && !isOwn ? replayed(gate, caller, text) : undefined
    }
    if (id === undefined) {
      noteChange(caller.server, method)
      if (!mayTell(gate, caller, message)) return undefined
    } else if (!mayAskClient(caller, caller.session, message)) return undefined
    else if (typeof id === 'string' || typeof id === 'number') rememberAsked(caller.session, id)
    else return undefined
    return text
  }

  end(): void {
    if (this.#isOver) return
    this.stop()
    this.#o.sink.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    if (error.code === 'verb_refused' && !this.#isOpen) {
      this.head({ status: 200, kind: 'events', length: undefined, session: undefined })
      return
    }
    this.stop()
    // A stream that breaks off is opened again by its client; an error in it would be nobody's answer.
    if (this.#isOpen) this.#o.sink.end()
    else this.#o.sink.fail(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#o.sink.onDrain(resume)
  }
}

const parse = (text: string): JsonObject | undefined => {
  try {
    const message = parseJson(text)
    return isObject(message) ? message : undefined
  } catch {
    return undefined
  }
}
