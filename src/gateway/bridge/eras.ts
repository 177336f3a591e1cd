import type { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerEntry } from '../../core/snapshot.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamExchange,
  UpstreamRequest,
} from '../upstream/upstream.ts'
import { Attempt } from './attempt.ts'
import { createEraKnowledge, type Trouble } from './era-knowledge.ts'

/** What a bridge stands on. */
export interface BridgeMeans {
  readonly entry: ServerEntry
  readonly log: Log
  readonly clock: Clock
  /** Where it tells that the server is not what it was taken for. */
  readonly trouble: Pick<Trouble, 'note'>
}

/** Makes one era of another: an upstream for the era that the server below does not speak. */
export type Bridge = (inner: Upstream, means: BridgeMeans) => Upstream

/** What it takes to serve both eras from one server. */
export interface EraMeans extends BridgeMeans {
  /** Another instance of the server, for a question that may end it; undefined where none is needed. */
  readonly openSibling: (() => Upstream) | undefined
  /** Where the transport tells that something went wrong. */
  readonly trouble: Trouble
  readonly bridges: { readonly modernOverLegacy: Bridge; readonly legacyOverModern: Bridge }
}

/** Marks the sessions that a bridge opened; a server that names its own so is not believed. */
const BRIDGED = 'sallyport-bridge:'

/**
 * A server for clients of both eras: a caller whose era the server speaks reaches it untouched, any
 * other through a bridge. Which eras it speaks is learned by use, unless the configuration says it.
 */
export function speakBothEras(inner: Upstream, means: EraMeans): Upstream {
  const { era: pin } = means.entry
  if (pin === 'both') return inner
  const knowledge = createEraKnowledge(inner, means)
  let down: Upstream | undefined
  let up: Upstream | undefined
  const modernOverLegacy = (): Upstream => {
    down ??= means.bridges.modernOverLegacy(inner, means)
    return down
  }
  const legacyOverModern = (): Upstream => {
    up ??= means.bridges.legacyOverModern(inner, means)
    return up
  }

  /** A stateless frame to whoever serves that era; the first ones wait until that is known. */
  function modern(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const spoken = knowledge.modern()
    if (spoken !== undefined) return (spoken ? inner : modernOverLegacy()).exchange(request, sink)
    let exchange: UpstreamExchange | undefined
    let isCancelled = false
    void knowledge.learn().then((isSpoken) => {
      if (!isCancelled) exchange = (isSpoken ? inner : modernOverLegacy()).exchange(request, sink)
    })
    return {
      cancel() {
        isCancelled = true
        exchange?.cancel()
      },
    }
  }

  /** `initialize` is itself the question: the server gets it as it is, unless it is known better. */
  function initialize(request: UpstreamRequest, sink: ReplySink): UpstreamExchange {
    const bridged = (): UpstreamExchange =>
      legacyOverModern().exchange(request, new BridgedSession(sink))
    if (knowledge.legacy() === false) return bridged()
    let isCancelled = false
    const attempt = new Attempt(sink, request.frame, {
      accepts: (head) => {
        knowledge.sawLegacy(true)
        return head.session?.startsWith(BRIDGED) !== true
      },
      async refused(pass) {
        const isModern = await knowledge.learn()
        if (isCancelled) return
        if (!isModern || !knowledge.isSure()) {
          pass()
          return
        }
        knowledge.sawLegacy(false)
        exchange = bridged()
      },
    })
    let exchange = inner.exchange(request, attempt)
    return {
      cancel() {
        isCancelled = true
        exchange.cancel()
      },
    }
  }

  /** Whose session it is: the upstream that opened it, and the id that it knows. */
  const ownerOf = <R extends Pick<UpstreamRequest, 'session'>>(request: R): [Upstream, R] => {
    const { session } = request
    return session?.startsWith(BRIDGED)
      ? [legacyOverModern(), { ...request, session: session.slice(BRIDGED.length) }]
      : [inner, request]
  }

  return {
    exchange(request, sink) {
      if (request.era === 'modern') return modern(request, sink)
      const { frame, session } = request
      if (session === undefined && frame.kind === 'request' && frame.method === 'initialize')
        return initialize(request, sink)
      const [upstream, own] = ownerOf(request)
      return upstream.exchange(own, sink)
    },
    listen(request, sink) {
      const [upstream, own] = ownerOf(request)
      return upstream.listen(own, sink)
    },
    endSession(request) {
      const [upstream, own] = ownerOf(request)
      return upstream.endSession(own)
    },
    async close() {
      // Bridges first: what they end, they end through the server's own upstream.
      await Promise.allSettled([knowledge.close(), down?.close(), up?.close()])
      await inner.close()
    },
  }
}

/** Marks the session that a bridge opens. */
class BridgedSession implements ReplySink {
  readonly #inner: ReplySink

  constructor(inner: ReplySink) {
    this.#inner = inner
  }

  head(head: Head): void {
    const { session } = head
    this.#inner.head(session === undefined ? head : { ...head, session: BRIDGED + session })
  }
  chunk(bytes: Uint8Array): boolean {
    return this.#inner.chunk(bytes)
  }
  event(event: UpstreamEvent): boolean {
    return this.#inner.event(event)
  }
  end(): void {
    this.#inner.end()
  }
  fail(error: GatewayError, wasSent: boolean): void {
    this.#inner.fail(error, wasSent)
  }
  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
  }
}
