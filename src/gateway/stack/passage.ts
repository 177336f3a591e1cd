import { GatewayError } from '../../core/errors.ts'
import { isObject, member } from '../../core/json/json.ts'
import type { Frame, RequestFrame } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import { REQUEST_METHODS } from '../../core/mcp/revisions.ts'
import { subscriptionEnd } from '../../core/stack/subscription.ts'
import { Relay, Rewriting } from '../forward.ts'
import { type AnswerSink, type Caller, type Gate, idOf } from '../gate.ts'
import { recordOf } from '../observe.ts'
import type { ReplySink, UpstreamExchange } from '../upstream/upstream.ts'

/**
 * One frame of a stack's client on its way to the stack's face. It decides nothing: every frame that
 * the face makes of it is judged, counted and recorded in the exchange of the member that gets it.
 */
export class Passage {
  readonly #gate: Gate
  readonly #caller: Caller
  readonly #frame: Frame
  readonly #bytes: Uint8Array
  readonly #sink: AnswerSink
  #exchange: UpstreamExchange | undefined
  #relay: Relay | undefined
  #isGone = false

  constructor(
    gate: Gate,
    caller: Caller,
    frame: Frame,
    sink: AnswerSink,
    bytes: Uint8Array = Buffer.from(frame.text, 'utf8'),
  ) {
    this.#gate = gate
    this.#caller = caller
    this.#frame = frame
    this.#sink = sink
    this.#bytes = bytes
  }

  /** Runs it; resolves when it is on its way. */
  async run(): Promise<void> {
    const refusal = this.#refusal()
    if (refusal === undefined) this.#send()
    else {
      this.#observe(refusal)
      this.#sink.fail(refusal, false)
    }
  }

  /** The downstream has gone: nothing more is executed for it. */
  cancel(): void {
    this.#isGone = true
    this.#exchange?.cancel()
  }

  /** The gateway itself ends it; a subscription gets the answer that is due then. */
  finish(): void {
    const frame = this.#frame
    if (frame.kind === 'request' && frame.method === 'subscriptions/listen') {
      this.#relay?.event({ data: subscriptionEnd(frame.id) })
      this.#relay?.end()
    }
    this.cancel()
  }

  #refusal(): GatewayError | undefined {
    const frame = this.#frame
    const { era, session } = this.#caller
    switch (frame.kind) {
      case 'response':
        // Only what the server asked in this session may be answered, once.
        return session?.asked.delete(frame.id) === true
          ? undefined
          : new GatewayError('response_unexpected')
      case 'notification':
        return frame.method.startsWith('notifications/')
          ? undefined
          : new GatewayError('frame_invalid', 'a request needs an id')
      case 'request':
        return REQUEST_METHODS[era].has(frame.method)
          ? undefined
          : new GatewayError('method_unknown', frame.method.slice(0, 64))
      default:
        return frame satisfies never
    }
  }

  #send(): void {
    const { server, era, protocolVersion, session, grant, headers } = this.#caller
    const frame = this.#frame
    const relay = new Relay(this.#sink, this.#caller, idOf(frame), undefined)
    this.#relay = relay
    const opens = frame.kind === 'request' && frame.method === 'initialize'
    // What the stateless era does not have is answered by the bridge: no member's exchange records it.
    if (frame.kind === 'request' && !REQUEST_METHODS.modern.has(frame.method))
      this.#observe(undefined)
    this.#exchange = server.upstream.exchange(
      {
        frame,
        era,
        protocolVersion,
        headers,
        bytes: this.#bytes,
        session: session?.upstream,
        grantId: grant.id,
      },
      opens ? this.#opening(frame, relay) : relay,
    )
    if (this.#isGone) this.#exchange.cancel()
  }

  /** Seals the session that the face opens for a client of the era with sessions. */
  #opening(frame: RequestFrame, relay: Relay): ReplySink {
    return new Rewriting(
      relay,
      frame.id,
      (text, head) => {
        const version = versionIn(text)
        const session =
          version === undefined ? undefined : this.#sink.openSession(head.session, version)
        return { text, head: { ...head, session } }
      },
      'head and answer',
    )
  }

  #observe(refusal: GatewayError | undefined): void {
    const frame = this.#frame
    const id = idOf(frame)
    this.#gate.records.put(
      recordOf(
        this.#caller,
        {
          requestId: id === undefined ? undefined : String(id),
          method: frame.kind === 'response' ? 'response' : frame.method,
          effect: refusal === undefined ? 'allow' : 'deny',
          rule: '',
          message: refusal?.message ?? '',
          mode: 'enforce',
          outcome: refusal === undefined ? 'forwarded' : 'failed',
          code: refusal?.code,
        },
        { id: this.#gate.newId(), at: this.#gate.clock.now(), latencyMs: 0 },
      ),
    )
  }
}

function versionIn(text: string): string | undefined {
  const message: unknown = parseJson(text)
  const result = isObject(message) ? member(message, 'result') : undefined
  const version = isObject(result) ? member(result, 'protocolVersion') : undefined
  return typeof version === 'string' ? version : undefined
}
