import { GatewayError } from '../../core/errors.ts'
import { isObject, member } from '../../core/json/json.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import type { Head, ReplySink, UpstreamEvent } from '../upstream/upstream.ts'

/** Whoever tries. */
export interface Attempting {
  /** The server took it; false when its answer must not be passed on. */
  accepts(head: Head): boolean
  /** The server refused it: something else is tried, or `pass` gives the refusal to the client. */
  refused(pass: () => void): void
}

/** A refusal is short. */
const MAX_HELD = 1 << 20
const EMPTY: Head = { status: 0, kind: 'empty', length: undefined, session: undefined }

/** Holds the answer to a frame until it is known whether the server takes it. */
export class Attempt implements ReplySink {
  readonly #inner: ReplySink
  readonly #id: unknown
  readonly #o: Attempting
  #state: 'held' | 'passing' | 'over' = 'held'
  #head: Head = EMPTY
  #held: (Uint8Array | UpstreamEvent)[] = []
  #size = 0

  constructor(inner: ReplySink, frame: Frame, attempting: Attempting) {
    this.#inner = inner
    this.#id = frame.kind === 'request' ? frame.id : undefined
    this.#o = attempting
  }

  head(head: Head): void {
    this.#head = head
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#state === 'passing') return this.#inner.chunk(bytes)
    this.#hold(bytes, bytes.length)
    return true
  }

  event(event: UpstreamEvent): boolean {
    if (this.#state === 'passing') return this.#inner.event(event)
    if (this.#state === 'over') return true
    const what = kindOf(event.data, this.#id)
    if (what === 'result' || what === 'request') {
      if (!this.#pass()) return true
      return this.#inner.event(event)
    }
    this.#hold(event, event.data.length)
    if (what === 'error') this.#refused(() => this.#inner.end())
    return true
  }

  #hold(part: Uint8Array | UpstreamEvent, size: number): void {
    if (this.#state !== 'held') return
    this.#size += size
    this.#held.push(part)
    // Nothing that long refuses.
    if (this.#size > MAX_HELD) this.#pass()
  }

  end(): void {
    if (this.#state === 'passing') this.#inner.end()
    if (this.#state !== 'held') return
    const text = Buffer.concat(this.#held.filter(isChunk)).toString('utf8')
    if (kindOf(text, this.#id) === 'result') {
      if (this.#pass()) this.#inner.end()
    } else this.#refused(() => this.#inner.end())
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#state === 'passing') this.#inner.fail(error, wasSent)
    if (this.#state !== 'held') return
    const pass = (): void => this.#inner.fail(error, wasSent)
    if (REFUSALS.has(error.code)) this.#refused(pass)
    else {
      this.#state = 'over'
      pass()
    }
  }

  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
  }

  /** What was held goes on, and everything after it; false when it must not. */
  #pass(): boolean {
    if (!this.#o.accepts(this.#head)) {
      this.#state = 'over'
      this.#inner.fail(new GatewayError('upstream_broken', 'its session id is not one'), true)
      return false
    }
    this.#state = 'passing'
    this.#replay()
    return true
  }

  #refused(andThen: () => void): void {
    this.#state = 'over'
    this.#o.refused(() => {
      this.#replay()
      andThen()
    })
  }

  #replay(): void {
    // A failure comes without a head.
    if (this.#head !== EMPTY) this.#inner.head(this.#head)
    for (const part of this.#held)
      if (isChunk(part)) this.#inner.chunk(part)
      else this.#inner.event(part)
    this.#held = []
  }
}

/** Ways in which a server that is there says no. */
const REFUSALS: ReadonlySet<string> = new Set([
  'upstream_broken',
  'upstream_lost',
  'verb_refused',
  'session_missing',
  'session_unknown',
])

const isChunk = (part: Uint8Array | UpstreamEvent): part is Uint8Array => part instanceof Uint8Array

function kindOf(text: string, id: unknown): 'result' | 'error' | 'request' | 'other' {
  let message: unknown
  try {
    message = parseJson(text)
  } catch {
    return 'other'
  }
  if (!isObject(message)) return 'other'
  if (member(message, 'method') !== undefined)
    return member(message, 'id') === undefined ? 'other' : 'request'
  if (member(message, 'error') !== undefined) return 'error'
  return member(message, 'id') === id && member(message, 'result') !== undefined
    ? 'result'
    : 'other'
}
