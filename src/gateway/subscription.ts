import type { GatewayError } from '../core/errors.ts'
import { isObject, type JsonObject, member } from '../core/json/json.ts'
import {
  acknowledgeAlso,
  filterKey,
  LISTED_KINDS,
  type ListedKind,
} from '../core/mcp/capabilities.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import { subscriptionEnd } from '../core/stack/subscription.ts'
import type { AnswerSink, Caller, Gate } from './gate.ts'
import { grantNow } from './grant-now.ts'
import { changeMethod, LISTS_OF } from './list-changes.ts'
import { MAX_HELD } from './page-reply.ts'
import { SUBSCRIPTION_ID } from './upstream/rewriting.ts'
import type { Head, ReplySink, UpstreamEvent } from './upstream/upstream.ts'

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
const METHOD_NOT_FOUND = -32601

/** What a subscription asks for of what the gateway itself can tell: changes of lists that the server has. */
export function kindsToTell({ server }: Caller, { params }: RequestFrame): readonly ListedKind[] {
  const filter = member(params, 'notifications')
  const isAsked = (kind: ListedKind): boolean =>
    isObject(filter) && member(filter, filterKey(kind)) === true
  // Who has not said yet what it lists may have listed it; without either, nearly all have tools.
  const has = (kind: ListedKind): boolean =>
    server.offers.kinds?.has(kind) ??
    (kind === 'tools' || LISTS_OF[kind].some((list) => server.catalogue.listed(list) !== undefined))
  return LISTED_KINDS.filter((kind) => isAsked(kind) && has(kind))
}

/**
 * One `subscriptions/listen`. To what the server tells, the gateway adds what only it can know: that a
 * policy edit has changed a list for this caller. A server without subscriptions is stood in for.
 */
export class Subscription implements ReplySink {
  readonly #gate: Gate
  readonly #caller: Caller
  readonly #frame: RequestFrame
  readonly #kinds: readonly ListedKind[]
  readonly #inner: ReplySink
  readonly #sink: AnswerSink
  #head: Head | undefined
  #chunks: Uint8Array[] = []
  #size = 0
  #isAcknowledged = false
  /** The server tells nothing, so that its part may end at any time: the gateway's goes on. */
  #isAlone = false
  #isOver = false
  #close: (() => void) | undefined

  constructor(
    around: { gate: Gate; caller: Caller; frame: RequestFrame; kinds: readonly ListedKind[] },
    inner: ReplySink,
    sink: AnswerSink,
  ) {
    this.#gate = around.gate
    this.#caller = around.caller
    this.#frame = around.frame
    this.#kinds = around.kinds
    this.#inner = inner
    this.#sink = sink
  }

  /** Nothing more is told. */
  stop(): void {
    this.#isOver = true
    this.#close?.()
  }

  /** Ends it in the way of its era: with the answer that was due at its end. */
  finish(): void {
    if (this.#isOver) return
    this.stop()
    if (this.#isAcknowledged) this.#inner.event({ data: subscriptionEnd(this.#frame.id) })
    this.#inner.end()
  }

  head(head: Head): void {
    this.#head = head
    if (head.kind !== 'json') this.#inner.head(head)
  }

  chunk(bytes: Uint8Array): boolean {
    this.#size += bytes.length
    if (this.#size <= MAX_HELD) this.#chunks.push(bytes)
    return true
  }

  event(event: UpstreamEvent): boolean {
    // The end of a server that agreed to nothing is not the end of the subscription.
    if (this.#isOver || this.#isAlone) return true
    const message = event.data === '' || this.#isAcknowledged ? undefined : parse(event.data)
    if (message === undefined) return this.#inner.event(event)
    if (member(message, 'method') === ACKNOWLEDGED) {
      this.#isAlone = this.#kinds.length > 0 && !agrees(message)
      return this.#acknowledge(event)
    }
    if (isRefusal(message) && this.#kinds.length > 0) return this.#standIn()
    return this.#inner.event(event)
  }

  #acknowledge(event: UpstreamEvent): boolean {
    this.#isAcknowledged = true
    const data = this.#kinds.length === 0 ? event.data : acknowledgeAlso(event.data, this.#kinds)
    const mayFlow = this.#inner.event({ ...event, data })
    const { id } = this.#frame
    this.#close = this.#gate.channels.open(this.#gate, {
      caller: this.#caller,
      kinds: this.#kinds,
      reader: this,
      grant: () => grantNow(this.#gate, this.#caller),
      tell: (kind) => this.#sink.notify(changeOn(id, kind)),
    })
    return mayFlow
  }

  /** The server has no subscriptions: the gateway opens one for what it can tell itself. */
  #standIn(): boolean {
    if (this.#head?.kind !== 'events')
      this.#inner.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    this.#isAlone = true
    this.#chunks = []
    const notifications = Object.fromEntries(this.#kinds.map((kind) => [filterKey(kind), true]))
    const params = { notifications, _meta: { [SUBSCRIPTION_ID]: this.#frame.id } }
    return this.#acknowledge({
      data: JSON.stringify({ jsonrpc: '2.0', method: ACKNOWLEDGED, params }),
    })
  }

  end(): void {
    if (this.#isOver || this.#isAlone) return
    if (this.#head?.kind !== 'json') {
      this.stop()
      this.#inner.end()
      return
    }
    const body = Buffer.concat(this.#chunks)
    const message = this.#size <= MAX_HELD ? parse(body.toString('utf8')) : undefined
    if (message !== undefined && isRefusal(message) && this.#kinds.length > 0) {
      this.#standIn()
      return
    }
    this.stop()
    this.#inner.head({ ...this.#head, length: body.length })
    this.#inner.chunk(body)
    this.#inner.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver || this.#isAlone) return
    if (error.code === 'method_unknown' && this.#kinds.length > 0 && !this.#isAcknowledged) {
      this.#standIn()
      return
    }
    this.stop()
    this.#inner.fail(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
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

/** True when a server agreed to tell anything at all. */
const agrees = (message: JsonObject): boolean => {
  const params = member(message, 'params')
  const agreed = isObject(params) ? member(params, 'notifications') : undefined
  return (
    isObject(agreed) &&
    Object.values(agreed).some((one) => one === true || (Array.isArray(one) && one.length > 0))
  )
}

/** True for the answer of a server that has no subscriptions. */
const isRefusal = (message: JsonObject): boolean => {
  const error = member(message, 'error')
  return isObject(error) && member(error, 'code') === METHOD_NOT_FOUND
}

const changeOn = (id: string | number, kind: ListedKind): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: changeMethod(kind),
    params: { _meta: { [SUBSCRIPTION_ID]: id } },
  })
