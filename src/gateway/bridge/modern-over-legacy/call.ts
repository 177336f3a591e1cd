import { hash } from 'node:crypto'
import { GatewayError } from '../../../core/errors.ts'
import { canonicalText } from '../../../core/json/canonical.ts'
import { member } from '../../../core/json/json.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import type { Incoming } from '../../upstream/incoming.ts'
import { replaceAt } from '../../upstream/rewriting.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { ACCEPT, framed } from '../ask.ts'
import { Answer, type Answered, errorOf } from './answer.ts'
import type { FaceBounds } from './bounds.ts'
import type { Leg } from './leg.ts'
import type { ParkingLot } from './parking.ts'
import { lacking, MAY_ASK, missingCapability, QUESTIONS } from './questions.ts'
import { type BridgeSession, LEVELS, type Receiver } from './session.ts'
import { answerUp, inputRequest, type Parts, requestDown, textAt } from './text.ts'

/** What a call stands on. */
export interface CallMeans {
  readonly inner: Upstream
  readonly parking: ParkingLot
  readonly bounds: FaceBounds
  /** What of the client's request headers may pass. */
  readonly headers: readonly string[]
  /** The session was gone before the server took the call. */
  lost(leg: Leg): void
  /** The server wants its client to open a page first: `elicitations` of its error. */
  urlRequired(leg: Leg, answer: string): void
}

/** A request of the server that waits for the client. */
type Question = Extract<Incoming, { kind: 'request' }>

/** What is kept of a call while its client is away: characters of notifications, and of its answer. */
const MAX_HELD = 256 << 10
const MAX_HELD_ANSWER = 4 << 20
const MAX_QUESTIONS = 32
const MAX_QUESTION = 1 << 20
const URL_REQUIRED = -32042

/** Which call a request is: the same method and params give the same text. */
export function digestOf({ method, params }: RequestFrame): string {
  const { _meta, inputResponses: _i, requestState: _s, ...rest } = params
  return hash('sha256', canonicalText([method, rest]), 'base64url')
}

/**
 * One call at a server with sessions, for a stateless client. When the server asks something, the
 * call is parked: its client gets the questions as the answer, and comes back with what it was asked.
 */
export class BridgeCall implements Answered, Receiver {
  readonly #session: BridgeSession
  readonly #o: CallMeans
  readonly #frame: RequestFrame
  readonly #parts: Parts
  readonly #id: number
  /** Who waits for an answer now; undefined while the call is parked. */
  #leg: Leg | undefined
  /** The answer has come, or none will. */
  #isOver = false
  #answer: Answer | undefined
  /** Its client asked to pause. */
  #isStalled = false
  /** Questions of the server, by the key under which the client is asked. */
  readonly #questions = new Map<string, Question>()
  /** The keys that the client was asked last. */
  #asked: ReadonlySet<string> = new Set()
  #nextKey = 1
  #joining: NodeJS.Timeout | undefined
  /** What came while the call was parked. */
  #held: Extract<Incoming, { kind: 'notification' }>[] = []
  #heldLength = 0
  #ending: ((leg: Leg) => void) | undefined

  constructor(session: BridgeSession, leg: Leg, means: CallMeans) {
    this.#session = session
    this.#o = means
    this.#frame = leg.frame
    this.#parts = leg.parts
    this.#id = session.newId()
    this.#attach(leg)
  }

  #attach(leg: Leg): void {
    this.#leg = leg
    this.#isStalled = false
    leg.workedOnBy(() => this.#giveUp('the caller has gone'))
  }

  /** Sends the call. */
  start(): void {
    this.#session.add(this.#id, this)
    const { logLevel } = this
    if (logLevel === undefined || !this.#session.offers('logging')) this.#send()
    else
      void this.#session.logAtLeast(logLevel).then(() => {
        if (!this.#isOver) this.#send()
      })
  }

  #send(): void {
    const { inner, headers } = this.#o
    const { around } = this.#session
    const frame = requestDown(this.#frame, this.#id, this.#parts)
    const answer = new Answer(inner, around, this)
    this.#answer = answer
    const sent = { ...around, headers: [...ACCEPT, ...headers] }
    answer.of(inner.exchange(framed(sent, frame), answer))
  }

  get logLevel(): string | undefined {
    return this.#leg?.logLevel
  }

  #giveUp(reason: string): void {
    this.#refuseAll(reason)
    if (this.#isOver) return
    this.#over()
    // The server is told before the connection goes, which says nothing to it.
    if (this.#answer !== undefined) this.#session.cancel(this.#id, reason)
    this.#answer?.cancel()
  }

  /** Nobody will answer what is still asked. */
  #refuseAll(reason: string): void {
    for (const { id } of this.#questions.values()) this.#session.refuse(id, reason)
    this.#questions.clear()
  }

  #over(): void {
    this.#isOver = true
    this.#answer?.stop()
    clearTimeout(this.#joining)
    this.#session.remove(this.#id)
  }

  heard(message: Incoming): boolean {
    if (message.kind === 'response') {
      if (message.id === this.#id) this.#answered(message.text, message.isError)
      return true
    }
    this.#session.take(message, this)
    return !this.#isStalled
  }

  /** Many servers refuse a session that they do not know in words of their own. */
  refused(text: string, status: number): void {
    const isOfSession = /session/i.test(String(errorOf(text)?.message))
    if (isOfSession && (status === 404 || status === 400)) this.#lose()
    else this.#answered(text, true)
  }

  failed(error: GatewayError, wasSent: boolean): void {
    const isUnknown = error.code === 'session_unknown' || error.code === 'session_missing'
    if (isUnknown && !wasSent) this.#lose()
    else this.#fail(error, wasSent)
  }

  #lose(): void {
    this.#session.lose()
    const leg = this.#leg
    if (leg === undefined)
      this.#fail(new GatewayError('upstream_lost', 'its session has ended'), true)
    else {
      this.#over()
      this.#o.lost(leg)
    }
  }

  #fail(error: GatewayError, wasSent: boolean): void {
    this.#over()
    this.#finish((leg) => leg.fail(error, wasSent))
  }

  onDrain(resume: () => void): void {
    if (this.#leg === undefined) resume()
    else
      this.#leg.onDrain(() => {
        this.#isStalled = false
        resume()
      })
  }

  #answered(text: string, isError: boolean): void {
    if (this.#leg === undefined && text.length > MAX_HELD_ANSWER) {
      this.#fail(new GatewayError('upstream_broken', 'its answer is too large to be kept'), true)
      return
    }
    this.#over()
    // Questions that came on this call's stream may be another's: the client that was asked still
    // answers them, and the others go to another call.
    for (const [key, question] of this.#questions)
      if (this.#leg !== undefined || !this.#asked.has(key)) {
        this.#questions.delete(key)
        this.#session.take(question)
      }
    const code = isError ? codeOf(text) : undefined
    if (code === URL_REQUIRED) this.#finish((leg) => this.#o.urlRequired(leg, text))
    else this.#finish((leg) => this.#pass(leg, text, code))
  }

  #pass(leg: Leg, text: string, code: number | undefined): void {
    const { serverInfo } = this.#session
    const { method } = this.#frame
    // A stateless client learns from the status that a method is not there.
    const status = code === -32601 ? 404 : 200
    leg.answer(answerUp(text, { idText: leg.idText, method, serverInfo }), status)
  }

  /** Ends the call for whoever waits, now or when the client is back. */
  #finish(ending: (leg: Leg) => void): void {
    const leg = this.#leg
    if (leg === undefined) this.#ending = ending
    else ending(leg)
  }

  // What the session gives.

  told(message: Extract<Incoming, { kind: 'notification' }>, isOwn: boolean): void {
    const leg = this.#leg
    // Its own stream waits for a client that does not read; what comes elsewhere would pile up.
    if (!isOwn && this.#isStalled) return
    if (message.method === 'notifications/cancelled') this.#withdraw(message)
    else if (leg === undefined) {
      this.#heldLength += message.text.length
      if (this.#heldLength <= MAX_HELD) this.#held.push(message)
    } else this.#tell(leg, message)
  }

  #tell(leg: Leg, { method, params, text }: Extract<Incoming, { kind: 'notification' }>): void {
    if (method === 'notifications/progress') {
      if (leg.tokenText !== undefined)
        this.#event(leg, replaceAt(text, ['params', 'progressToken'], leg.tokenText))
    } else if (method === 'notifications/message') {
      if (leg.logLevel === undefined) return
      const isWanted =
        LEVELS.indexOf(String(member(params, 'level'))) >= LEVELS.indexOf(leg.logLevel)
      if (isWanted) this.#event(leg, text)
    } else if (!OF_SESSIONS.test(method)) this.#event(leg, text)
  }

  #event(leg: Leg, text: string): void {
    if (leg.event(text) || this.#isStalled) return
    this.#isStalled = true
    leg.onDrain(() => {
      this.#isStalled = false
    })
  }

  /** The server no longer wants to know. */
  #withdraw({ params }: { params: Incoming['params'] }): void {
    const id = member(params, 'requestId')
    for (const [key, question] of this.#questions)
      if (question.id === id) this.#questions.delete(key)
  }

  asked(message: Question): boolean {
    const { id, method, params, text } = message
    if (this.#isOver || !QUESTIONS.has(method) || !MAY_ASK.has(this.#frame.method)) return false
    if (this.#questions.size >= MAX_QUESTIONS || text.length > MAX_QUESTION) return false
    const missing = lacking(method, params, this.#session.client.capabilities)
    if (missing !== undefined) {
      this.#session.refuse(id, 'the client can not be asked this')
      this.#giveUp('the client can not be asked what it needs')
      this.#finish((leg) => leg.refuse(missingCapability(missing)))
      return true
    }
    this.#questions.set(`question-${this.#nextKey++}`, message)
    if (this.#leg !== undefined) this.#join()
    return true
  }

  #join(): void {
    this.#joining ??= setTimeout(() => {
      this.#joining = undefined
      if (this.#leg !== undefined && !this.#isOver && this.#questions.size > 0)
        this.#park(this.#leg)
    }, this.#o.bounds.joinMs)
  }

  /** The client gets the questions, and the call waits for it to come back. */
  #park(leg: Leg): void {
    const handle = this.#o.parking.put({
      grantId: this.#session.grantId,
      digest: digestOf(this.#frame),
      resume: (next) => this.#resumeWith(next),
      expire: () => this.#giveUp('nobody answered in time'),
    })
    if (handle === undefined) {
      this.#giveUp('too many calls wait for their clients')
      leg.fail(new GatewayError('too_busy', 'too many calls wait for their clients'), true)
      return
    }
    this.#leg = undefined
    this.#asked = new Set(this.#questions.keys())
    const requests = [...this.#questions].map(
      ([key, { method, text }]) => `${JSON.stringify(key)}:${inputRequest(method, text)}`,
    )
    leg.answer(inputRequired(leg, `{${requests.join(',')}}`, handle))
  }

  /** The client is back, with answers to some or all of what it was asked. */
  #resumeWith(leg: Leg): void {
    this.#attach(leg)
    this.#heldLength = 0
    for (const message of this.#held.splice(0)) this.#tell(leg, message)
    for (const key of this.#asked) {
      const question = this.#questions.get(key)
      const answer = textAt(leg.frame.text, 'params', 'inputResponses', key)
      if (question === undefined || !answer?.startsWith('{')) continue
      this.#questions.delete(key)
      this.#session.respond(question.id, answer)
    }
    if (this.#ending !== undefined) {
      this.#refuseAll('its call has ended')
      this.#ending(leg)
    } else if (this.#questions.size > 0) this.#join()
  }
}

/** An answer that asks; a handle alone says only that the client should come back. */
export const inputRequired = (leg: Leg, requests: string | undefined, handle: string): string =>
  `{"jsonrpc":"2.0","id":${leg.idText},"result":{"resultType":"input_required",${
    requests === undefined ? '' : `"inputRequests":${requests},`
  }"requestState":${JSON.stringify(handle)}}}`

/** What only sessions have, and no stateless client wants to hear of. */
const OF_SESSIONS = /^notifications\/(?:tasks\/|initialized$)/

/** The code of an error; undefined for a result. */
function codeOf(text: string): number | undefined {
  const code = textAt(text, 'error', 'code')
  return code === undefined ? undefined : Number(code)
}
