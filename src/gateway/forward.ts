import { GatewayError } from '../core/errors.ts'
import { isObject, type Json, type JsonObject, member } from '../core/json/json.ts'
import { type Expected, resultProblem } from '../core/mcp/asking.ts'
import type { Frame, FrameId } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import { META_KEYS } from '../core/mcp/revisions.ts'
import { mayAskClient, mayTell } from './answers/notices.ts'
import type { AnswerSink, Caller, Gate } from './gate.ts'
import { noteChange } from './list-changes.ts'
import { MAX_HELD } from './page-reply.ts'
import { rememberAsked } from './sessions.ts'
import type { Head, ReplySink, UpstreamEvent } from './upstream/upstream.ts'

/** How forwarding ended. */
export interface Forwarded {
  /** False when the gateway knows that the server did not take the request. */
  readonly wasTaken: boolean
  readonly status: number | undefined
  /** The code of the error that ended it; undefined when the server answered. */
  readonly code: string | undefined
}

/** Whoever answers for what is forwarded. */
export interface Settling {
  settle(forwarded: Forwarded): void
}

const MAX_INSPECTED = 64 << 10

const parse = (text: string): Json | undefined => {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Relays an answer untouched, and tells at its end whether the server took the request. */
export class Relay implements ReplySink {
  protected readonly sink: AnswerSink
  readonly #caller: Caller
  readonly #id: FrameId | undefined
  readonly #owner: Settling | undefined
  readonly #gate: Gate | undefined
  readonly #expected: ReturnType<typeof expectedOf>
  #status: number | undefined
  #isAnswered = false
  #isOver = false
  /** What a refused request was answered with, to see whether there is a result in it. */
  #refusal: Uint8Array[] | undefined
  /** An answer that is judged before it goes on, and its head. */
  #judged: { readonly head: Head; readonly chunks: Uint8Array[]; size: number } | undefined

  /** With a gate, what a server tells and asks is held against what the caller may hear and answer. */
  constructor(
    sink: AnswerSink,
    caller: Caller,
    id: FrameId | undefined,
    owner: Settling | undefined,
    judging: { readonly gate: Gate; readonly frame: Frame } | undefined = undefined,
  ) {
    this.sink = sink
    this.#caller = caller
    this.#id = id
    this.#owner = owner
    this.#gate = judging?.gate
    this.#expected =
      judging === undefined || caller.era === 'legacy' ? undefined : expectedOf(judging.frame)
  }

  head(head: Head): void {
    this.#status = head.status
    if (head.status >= 400) this.#refusal = []
    // Servers repeat their session id in every answer: only the sealed one of `initialize` may pass.
    const isOpening = this.#caller.era === 'legacy' && this.#caller.session === undefined
    const own = isOpening || head.session === undefined ? head : { ...head, session: undefined }
    const isOdd = head.resultType !== undefined && head.resultType !== 'complete'
    if (head.kind === 'json' && this.#expected !== undefined && (isOdd || this.#expected.isTask))
      this.#judged = { head: own, chunks: [], size: 0 }
    else this.sink.head(own)
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#refusal !== undefined && this.#refusal.length < 16) this.#refusal.push(bytes)
    if (this.#judged === undefined) return this.sink.chunk(bytes)
    this.#judged.size += bytes.length
    if (this.#judged.size <= MAX_HELD) this.#judged.chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    if (this.#isOver) return true
    if (event.data === '') return this.sink.event(event)
    const message = parse(event.data)
    // What is not a message for this exchange goes no further.
    if (!isObject(message) || !this.#mayPass(message)) return true
    const problem = this.#isAnswered ? this.#problemOf(message) : undefined
    if (problem === undefined) return this.sink.event(event)
    this.fail(new GatewayError('upstream_broken', problem), true)
    return true
  }

  #problemOf(message: Json | undefined): string | undefined {
    if (this.#expected === undefined || !isObject(message)) return undefined
    return resultProblem(member(message, 'result'), this.#expected)
  }

  #mayPass(message: JsonObject): boolean {
    // Nothing follows an answer, and nothing of another protocol comes before it.
    if (this.#isAnswered || member(message, 'jsonrpc') !== '2.0') return false
    const id = member(message, 'id')
    if (member(message, 'method') === undefined) {
      this.#isAnswered = id !== undefined && id === this.#id
      return this.#isAnswered
    }
    if (id === undefined) {
      noteChange(this.#caller.server, member(message, 'method'))
      return this.#gate === undefined || mayTell(this.#gate, this.#caller, message)
    }
    // Only sessions let a server ask: the stateless era has no request of its own.
    const { session } = this.#caller
    if (session === undefined || (typeof id !== 'string' && typeof id !== 'number')) return false
    if (!mayAskClient(this.#caller, session, message)) return false
    rememberAsked(session, id)
    return true
  }

  end(): void {
    if (this.#isOver) return
    if (this.#judged !== undefined && !this.#tell(this.#judged)) return
    const wasTaken = this.#refusal === undefined || hasResult(this.#refusal)
    this.sink.end()
    this.#owner?.settle({ wasTaken, status: this.#status, code: undefined })
  }

  /** Passes on an answer that was held; false when it may not reach the client. */
  #tell({
    head,
    chunks,
    size,
  }: {
    head: Head
    chunks: readonly Uint8Array[]
    size: number
  }): boolean {
    const body = Buffer.concat(chunks)
    const problem =
      size > MAX_HELD ? 'its answer is too large' : this.#problemOf(parse(body.toString('utf8')))
    if (problem !== undefined) {
      this.fail(new GatewayError('upstream_broken', problem), true)
      return false
    }
    this.sink.head({ ...head, length: body.length })
    this.sink.chunk(body)
    return true
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.sink.fail(error, wasSent)
    this.#owner?.settle({ wasTaken: wasSent, status: this.#status, code: error.code })
  }

  onDrain(resume: () => void): void {
    this.sink.onDrain(resume)
  }
}

/** What an answer to a stateless request may be; those about tasks may ask inside of a whole result. */
function expectedOf(frame: Frame): (Expected & { readonly isTask: boolean }) | undefined {
  if (frame.kind !== 'request') return undefined
  const meta = member(frame.params, '_meta')
  const capabilities = isObject(meta) ? member(meta, META_KEYS.capabilities) : undefined
  return { method: frame.method, capabilities, isTask: frame.method.startsWith('tasks/') }
}

const hasResult = (chunks: readonly Uint8Array[]): boolean => {
  const body = Buffer.concat(chunks)
  const message = body.length <= MAX_INSPECTED ? parse(body.toString('utf8')) : undefined
  return isObject(message) && member(message, 'result') !== undefined
}

/** Gives the text that goes on in place of an answer, and the head that goes before it. */
export type Rewrite = (text: string, head: Head) => { text: string; head: Head }

/**
 * Holds an answer whole, rewrites the message that answers `id`, then passes it on. Events before it
 * pass at once, unless the rewrite may still change the head.
 */
export class Rewriting implements ReplySink {
  readonly #inner: ReplySink
  readonly #id: FrameId
  readonly #rewrite: Rewrite
  readonly #changesHead: boolean
  #head: Head | undefined
  #chunks: Uint8Array[] = []
  #events: UpstreamEvent[] = []
  #size = 0
  #isOpen = false
  #isOver = false

  constructor(
    inner: ReplySink,
    id: FrameId,
    rewrite: Rewrite,
    changes: 'answer' | 'head and answer' = 'answer',
  ) {
    this.#inner = inner
    this.#id = id
    this.#rewrite = rewrite
    this.#changesHead = changes === 'head and answer'
  }

  head(head: Head): void {
    this.#head = head
    if (head.kind !== 'empty') return
    this.#isOpen = true
    this.#inner.head(head)
  }

  chunk(bytes: Uint8Array): boolean {
    this.#hold(bytes.length)
    if (!this.#isOver) this.#chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    if (this.#isOver) return true
    const message = event.data === '' ? undefined : parse(event.data)
    const isAnswer =
      isObject(message) &&
      member(message, 'method') === undefined &&
      member(message, 'id') === this.#id
    if (isAnswer) {
      const rewritten = this.#rewrite(event.data, this.#head as Head)
      this.#open(rewritten.head)
      return this.#inner.event({ ...event, data: rewritten.text })
    }
    // Only a head that may still change holds up what comes before the answer; and a request of the
    // server waits for the client: it can't wait for the answer.
    if (!this.#changesHead || (isObject(message) && member(message, 'id') !== undefined))
      this.#open(this.#head as Head)
    if (this.#isOpen) return this.#inner.event(event)
    this.#hold(event.data.length)
    this.#events.push(event)
    return true
  }

  #hold(size: number): void {
    this.#size += size
    if (this.#size <= MAX_HELD || this.#isOver) return
    this.fail(new GatewayError('upstream_broken', 'its answer is too large'), true)
  }

  #open(head: Head): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#inner.head(head)
    for (const event of this.#events) this.#inner.event(event)
    this.#events = []
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#head?.kind === 'json') {
      const { text, head } = this.#rewrite(Buffer.concat(this.#chunks).toString('utf8'), this.#head)
      const bytes = Buffer.from(text, 'utf8')
      this.#inner.head({ ...head, length: bytes.length })
      this.#inner.chunk(bytes)
    } else if (this.#head !== undefined) this.#open(this.#head)
    this.#inner.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#inner.fail(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
  }
}

/** An answer for the gateway's own use; no text where the server answered something else. */
export interface Collected {
  readonly text: string | undefined
  readonly failure: GatewayError | undefined
}

/** Collects the message that answers `id`. */
export class Collecting implements ReplySink {
  readonly #id: FrameId
  readonly #done: (collected: Collected) => void
  #head: Head | undefined
  #chunks: Uint8Array[] = []
  #text: string | undefined
  #size = 0

  constructor(id: FrameId, done: (collected: Collected) => void) {
    this.#id = id
    this.#done = done
  }

  head(head: Head): void {
    this.#head = head
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_HELD) this.#chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    const message = event.data === '' ? undefined : parse(event.data)
    if (isObject(message) && member(message, 'id') === this.#id) this.#text = event.data
    return true
  }

  end(): void {
    if (this.#head?.kind === 'json' && this.#size <= MAX_HELD)
      this.#text = Buffer.concat(this.#chunks).toString('utf8')
    this.#done({ text: this.#text, failure: undefined })
  }

  fail(failure: GatewayError): void {
    this.#done({ text: undefined, failure })
  }

  onDrain(): void {}
}
