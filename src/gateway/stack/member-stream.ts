import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member as memberOfObject } from '../../core/json/json.ts'
import type { FrameId, RequestFrame } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import { agreedIn, type Wishes } from '../../core/stack/subscription.ts'
import type { AnswerSink } from '../gate.ts'
import { Exchange } from '../pipeline.ts'
import type { Head, UpstreamEvent, UpstreamRequest } from '../upstream/upstream.ts'
import type { AskMeans } from './ask.ts'
import { memberAnswer } from './collected-answer.ts'
import { isOfServer } from './health.ts'
import { callerOf, type Member } from './member.ts'

const MIN_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000
/** What a member may say instead of opening a stream. */
const MAX_ANSWER = 64 << 10

/** What a member's stream tells. */
export interface StreamEvents {
  /** It listens, for the first time or again. */
  agreed(wishes: Wishes): void
  /** It does not listen: not now, or not at all. */
  silent(): void
  /** A notification; false asks it to pause. */
  said(text: string): boolean
}

/** The subscription at one member: opened again whenever it breaks, until it is closed. */
export class MemberStream {
  readonly #means: AskMeans
  readonly #request: UpstreamRequest
  readonly #frame: RequestFrame
  readonly #member: () => Member | undefined
  readonly #events: StreamEvents
  #exchange: Exchange | undefined
  #timer: NodeJS.Timeout | undefined
  #waitMs = MIN_WAIT_MS
  #isClosed = false
  #resume: () => void = () => {}

  constructor(o: {
    means: AskMeans
    request: UpstreamRequest
    /** The client's request as this member gets it. */
    frame: RequestFrame
    /** The member as it is now: asked for every attempt. */
    member: () => Member | undefined
    events: StreamEvents
  }) {
    this.#means = o.means
    this.#request = o.request
    this.#frame = o.frame
    this.#member = o.member
    this.#events = o.events
    this.#open()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#exchange?.cancel()
  }

  /** The client takes more again. */
  resume(): void {
    this.#resume()
  }

  #open(): void {
    const member = this.#member()
    if (this.#isClosed) return
    if (member === undefined) {
      // Not configured now; it may be again.
      this.#events.silent()
      this.#again()
      return
    }
    const sink = new StreamSink(this.#frame.id, {
      agreed: (wishes) => {
        this.#waitMs = MIN_WAIT_MS
        this.#means.health.answered(member.name)
        this.#events.agreed(wishes)
      },
      said: (text) => this.#isClosed || this.#events.said(text),
      over: (error) => this.#over(member, error),
      onDrain: (resume) => {
        this.#resume = resume
      },
    })
    const caller = callerOf(this.#request, member)
    this.#exchange = new Exchange(this.#means.gate, caller, this.#frame, sink)
    void this.#exchange.run()
  }

  #over(member: Member, error: GatewayError | undefined): void {
    if (this.#isClosed) return
    this.#events.silent()
    // A member that knows no subscriptions, or may not be asked, is not asked again.
    if (error === undefined || !isOfServer(error)) return
    this.#means.health.failed(member.name, error)
    this.#again()
  }

  #again(): void {
    this.#timer = setTimeout(() => this.#open(), this.#waitMs).unref()
    this.#waitMs = Math.min(MAX_WAIT_MS, this.#waitMs * 2)
  }
}

interface AttemptEvents {
  agreed(wishes: Wishes): void
  said(text: string): boolean
  /** Undefined: it has no such method. */
  over(error: GatewayError | undefined): void
  onDrain(resume: () => void): void
}

/** Reads what comes back for one attempt. */
class StreamSink implements AnswerSink {
  readonly #id: FrameId
  readonly #to: AttemptEvents
  #chunks: Uint8Array[] = []
  #size = 0
  #isOver = false

  constructor(id: FrameId, to: AttemptEvents) {
    this.#id = id
    this.#to = to
  }
  head(_: Head): void {}
  openSession(): undefined {
    return undefined
  }
  reply(text: string): void {
    this.#answered(text)
  }
  notify(text: string): void {
    this.#to.said(text)
  }
  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_ANSWER) this.#chunks.push(bytes)
    return true
  }
  event({ data }: UpstreamEvent): boolean {
    const message = data === '' ? undefined : parse(data)
    if (message === undefined) return true
    if (memberOfObject(message, 'method') === undefined) {
      if (memberOfObject(message, 'id') === this.#id) this.#answered(data)
      return true
    }
    const agreed = agreedIn(message)
    if (agreed === undefined) return this.#to.said(data)
    this.#to.agreed(agreed)
    return true
  }
  end(): void {
    this.#answered(this.#size > 0 ? Buffer.concat(this.#chunks).toString('utf8') : undefined)
  }
  fail(error: GatewayError): void {
    this.#over(error.code === 'method_unknown' ? undefined : error)
  }
  onDrain(resume: () => void): void {
    this.#to.onDrain(resume)
  }

  #answered(text: string | undefined): void {
    const answer = memberAnswer({ text, failure: undefined })
    if (answer.kind === 'none') this.#over(undefined)
    else this.#over(answer.kind === 'failed' && text !== undefined ? answer.error : LOST)
  }

  #over(error: GatewayError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#to.over(error)
  }
}

const LOST = new GatewayError('upstream_lost', 'its stream has ended')

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
