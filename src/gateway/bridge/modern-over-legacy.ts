import { asGatewayError, GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import { MODERN_VERSIONS } from '../../core/mcp/revisions.ts'
import { acknowledge, refuse } from '../upstream/reply.ts'
import type { Upstream, UpstreamExchange, UpstreamRequest } from '../upstream/upstream.ts'
import type { BridgeMeans } from './eras.ts'
import { type FaceBounds, faceBounds } from './modern-over-legacy/bounds.ts'
import { BridgeCall, digestOf } from './modern-over-legacy/call.ts'
import { Leg } from './modern-over-legacy/leg.ts'
import { ParkingLot } from './modern-over-legacy/parking.ts'
import { SessionPool } from './modern-over-legacy/pool.ts'
import type { BridgeSession } from './modern-over-legacy/session.ts'
import { isListenRequest, openSubscription } from './modern-over-legacy/subscription.ts'
import { type Client, clientOf, discovery } from './modern-over-legacy/text.ts'
import { requirePages, type UrlRound } from './modern-over-legacy/url.ts'

const FIRST: UrlRound = { rounds: 0, shown: new Set() }

/**
 * A stateless face over a server with sessions. Sessions are opened as clients need them and shared by
 * requests that are alike; what the server asks in between becomes `input_required`.
 */
export function createModernOverLegacy(
  inner: Upstream,
  means: BridgeMeans,
  bounds: Partial<FaceBounds> = {},
): Upstream {
  const bridge = new ModernOverLegacy(inner, means, { ...faceBounds, ...bounds })
  return {
    exchange(request, sink) {
      const { frame } = request
      if (frame.kind === 'request') return bridge.request(new Leg(frame, sink), request)
      // A cancelled request is cancelled by whoever asked for it; nothing else concerns a session.
      acknowledge(sink)
      return { cancel() {} }
    },
    listen(_, sink) {
      refuse(sink, new GatewayError('verb_refused'))
      return { cancel() {} }
    },
    endSession: async () => 405,
    close: () => bridge.close(),
  }
}

class ModernOverLegacy {
  readonly #inner: Upstream
  readonly #means: BridgeMeans
  readonly #pool: SessionPool
  readonly #parking: ParkingLot
  readonly #bounds: FaceBounds

  constructor(inner: Upstream, means: BridgeMeans, bounds: FaceBounds) {
    this.#inner = inner
    this.#means = means
    this.#bounds = bounds
    this.#pool = new SessionPool(inner, means.clock, bounds)
    this.#parking = new ParkingLot(bounds)
  }

  /** Serves one request of a stateless client. */
  request(leg: Leg, request: UpstreamRequest): UpstreamExchange {
    const { method, params } = leg.frame
    const caller: BridgeCaller = {
      grantId: request.grantId,
      client: clientOf(params),
      headers: passingOf(request.headers),
    }
    // Answers that need no server come later, so that the caller holds the exchange before.
    if (method.startsWith('tasks/'))
      queueMicrotask(() => leg.fail(new GatewayError('method_unknown', 'no tasks here'), false))
    else if (method === 'server/discover')
      this.#with(caller, leg, ({ initialized }) =>
        leg.answer(discovery(initialized, { idText: leg.idText, versions: MODERN_VERSIONS })),
      )
    else if (method === 'subscriptions/listen') this.#listen(caller, leg)
    else if (member(params, 'requestState') !== undefined)
      queueMicrotask(() => this.#goOn(caller, leg))
    else this.#call(caller, leg, FIRST, 0)
    return { cancel: () => leg.cancel() }
  }

  /** Runs on the session of this client, once it is open. */
  #with({ grantId, client }: BridgeCaller, leg: Leg, run: (session: BridgeSession) => void): void {
    const session = this.#pool.get(grantId, client)
    if (session instanceof Promise)
      session.then(
        (opened) => {
          if (!leg.isOver) run(opened)
        },
        (thrown: unknown) => {
          // Whatever became of the session: the request itself was not sent.
          leg.fail(asGatewayError(thrown), false)
          this.#means.trouble.note('gone')
        },
      )
    else if (leg.frame.method === 'server/discover') queueMicrotask(() => run(session))
    else run(session)
  }

  #listen(caller: BridgeCaller, leg: Leg): void {
    if (isListenRequest(leg.frame.params))
      this.#with(caller, leg, (session) => openSubscription(session, leg))
    else
      queueMicrotask(() =>
        leg.fail(new GatewayError('params_invalid', '`notifications` must be an object'), false),
      )
  }

  /** A client comes back to a call that waits for it. */
  #goOn({ grantId }: BridgeCaller, leg: Leg): void {
    const handle = member(leg.frame.params, 'requestState')
    const of = { grantId, digest: digestOf(leg.frame) }
    const parked = typeof handle === 'string' ? this.#parking.take(handle, of) : undefined
    if (parked !== undefined) parked.resume(leg)
    else
      leg.fail(new GatewayError('params_invalid', 'no call waits for this `requestState`'), false)
  }

  /** Calls the server; once more on a fresh session if it knows the first one no more. */
  #call(caller: BridgeCaller, leg: Leg, round: UrlRound, attempt: number): void {
    this.#with(caller, leg, (session) => {
      new BridgeCall(session, leg, {
        inner: this.#inner,
        parking: this.#parking,
        bounds: this.#bounds,
        headers: caller.headers,
        lost: (same) => {
          if (attempt === 0) this.#call(caller, same, round, attempt + 1)
          else same.fail(new GatewayError('upstream_lost', 'its session has ended'), false)
        },
        urlRequired: (asked, answer) =>
          requirePages(asked, answer, round, {
            parking: this.#parking,
            bounds: this.#bounds,
            session,
            again: (next, later) => this.#call(caller, next, later, 0),
          }),
      }).start()
    })
  }

  async close(): Promise<void> {
    this.#parking.clear()
    await this.#pool.close()
  }
}

/** Whose request it is, and what of it reaches the server besides the frame. */
interface BridgeCaller {
  readonly grantId: string
  readonly client: Client
  readonly headers: readonly string[]
}

/** Trace context is the client's; every other header is between it and the gateway. */
function passingOf(headers: readonly string[]): readonly string[] {
  const passing: string[] = []
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] === 'traceparent' || headers[i] === 'tracestate')
      passing.push(headers[i] as string, headers[i + 1] as string)
  return passing
}
