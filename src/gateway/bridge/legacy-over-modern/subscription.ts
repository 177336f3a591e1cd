import { randomBytes } from 'node:crypto'
import { GatewayError } from '../../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import { type BackoffOptions, createBackoff } from '../../upstream/backoff.ts'
import { SUBSCRIPTION_ID } from '../../upstream/rewriting.ts'
import { rewriteObject, skimPath, textOf } from '../../upstream/skim.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { Leg } from './leg.ts'
import { type Around, aroundModern, freshId } from './own-questions.ts'
import { ownRequest, type Stamp } from './stamp.ts'

/** What a session wants to be told of. */
export interface Wanted {
  readonly toolsListChanged: boolean
  readonly promptsListChanged: boolean
  readonly resourcesListChanged: boolean
  readonly resourceSubscriptions: readonly string[]
}

/** How long a server may take to say what it will tell of. */
const ACK_TIMEOUT_MS = 10_000
const LISTS = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const
const RETRY: BackoffOptions = {
  minMs: 500,
  maxMs: 30_000,
  healthyMs: 60_000,
  random: () => randomBytes(4).readUInt32LE() / 2 ** 32,
}

/** What a subscription needs of its session and of the bridge. */
export interface SubscriptionMeans {
  readonly inner: Upstream
  readonly around: Around
  readonly stamp: () => Stamp
  readonly now: () => number
  /** A notification for the session's own stream; false when its reader asks for a pause. */
  tell(text: string): boolean
  onDrain(resume: () => void): void
}

/** One `subscriptions/listen` towards the server. */
interface Listening {
  readonly key: string
  readonly acknowledged: Promise<ReadonlySet<string>>
  cancel(): void
}

/** One session's stream of changes: a new one takes over when what is wanted changes. */
export class Subscription {
  readonly #means: SubscriptionMeans
  readonly #backoff = createBackoff(RETRY)
  #wanted: Wanted = NOTHING
  #current: Listening | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(means: SubscriptionMeans) {
    this.#means = means
  }

  /**
   * Makes the server tell of what is wanted from now on; gives the URIs that it agreed to watch.
   * @throws GatewayError when it does not agree in time.
   */
  async want(wanted: Wanted): Promise<ReadonlySet<string>> {
    const before = this.#wanted
    this.#wanted = wanted
    try {
      return await this.#follow()
    } catch (thrown) {
      if (this.#wanted === wanted) this.#wanted = before
      throw thrown
    }
  }

  /** Tells that everything that is wanted may have changed: for what was not listened to. */
  tellAll(): void {
    const wanted = this.#wanted
    for (const [list, method] of Object.entries(LISTS))
      if (wanted[list as keyof typeof LISTS]) this.#means.tell(notification(method))
    for (const uri of wanted.resourceSubscriptions)
      this.#means.tell(notification('notifications/resources/updated', { uri }))
  }

  /** Ends it. */
  close(): void {
    this.#wanted = NOTHING
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#current?.cancel()
    this.#current = undefined
  }

  async #follow(): Promise<ReadonlySet<string>> {
    const key = JSON.stringify(this.#wanted)
    if (key === JSON.stringify(NOTHING)) {
      this.close()
      return new Set()
    }
    if (this.#current?.key === key) return this.#current.acknowledged
    const old = this.#current
    const next = this.#listen(key, this.#wanted)
    this.#current = next
    try {
      // The old one ends when the new one has begun, so that nothing falls between them.
      return await next.acknowledged
    } catch (thrown) {
      // What was agreed before still holds.
      if (this.#current === next && old !== undefined) this.#current = old
      throw thrown
    } finally {
      if (this.#current !== old) old?.cancel()
    }
  }

  #listen(key: string, wanted: Wanted): Listening {
    const { inner, around, stamp, now } = this.#means
    const frame = ownRequest(freshId(), 'subscriptions/listen', filterOf(wanted), stamp())
    const begun = now()
    let isCancelled = false
    let acknowledge: (uris: ReadonlySet<string>) => void = () => {}
    let refuse: (error: GatewayError) => void = () => {}
    let isAcknowledged = false
    const acknowledged = new Promise<ReadonlySet<string>>((resolve, reject) => {
      acknowledge = resolve
      refuse = reject
    })
    // Whoever wanted it hears of it; a stream that is renewed by itself has nobody to tell.
    acknowledged.catch(() => {})
    const over = (error: GatewayError): void => {
      clearTimeout(limit)
      if (isCancelled) return
      refuse(error)
      if (isAcknowledged) this.#lost(listening, now() - begun)
    }
    const exchange = inner.exchange(
      { ...aroundModern(around), frame, bytes: Buffer.from(frame.text, 'utf8') },
      new Leg(frame.id, {
        said: (text, message) => {
          if (isCancelled) return true
          if (member(message, 'method') !== 'notifications/subscriptions/acknowledged')
            return this.#means.tell(withoutId(text))
          clearTimeout(limit)
          isAcknowledged = true
          acknowledge(urisIn(message))
          return true
        },
        answered: ({ message }) =>
          over(
            Object.hasOwn(message, 'error')
              ? new GatewayError('upstream_broken', 'it tells of no changes')
              : new GatewayError('upstream_lost', 'it has ended the subscription'),
          ),
        failed: over,
        onDrain: (resume) => this.#means.onDrain(resume),
      }),
    )
    const cancel = (): void => {
      isCancelled = true
      clearTimeout(limit)
      refuse(new GatewayError('upstream_lost', 'the session wants something else'))
      exchange.cancel()
    }
    const limit = setTimeout(() => {
      refuse(new GatewayError('upstream_timeout'))
      cancel()
    }, ACK_TIMEOUT_MS)
    const listening: Listening = { key, acknowledged, cancel }
    return listening
  }

  /** Begins again after a while; what changed in between is told as changed. */
  #lost(listening: Listening, livedMs: number): void {
    if (this.#current !== listening) return
    this.#current = undefined
    this.#backoff.ended(livedMs)
    this.#again()
  }

  #again(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#follow().then(
        () => this.tellAll(),
        () => {
          if (this.#current !== undefined || this.#retry !== undefined) return
          this.#backoff.ended(0)
          this.#again()
        },
      )
    }, this.#backoff.delayMs())
  }
}

/** Nothing at all. */
export const NOTHING: Wanted = {
  toolsListChanged: false,
  promptsListChanged: false,
  resourcesListChanged: false,
  resourceSubscriptions: [],
}

const notification = (method: string, params?: object): string =>
  JSON.stringify({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) })

function filterOf(wanted: Wanted): JsonObject {
  const { resourceSubscriptions: uris, ...lists } = wanted
  const on = Object.entries(lists).filter(([, isWanted]) => isWanted)
  return {
    notifications: {
      ...Object.fromEntries(on),
      ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
    },
  }
}

function urisIn(message: JsonObject): ReadonlySet<string> {
  const params = member(message, 'params')
  const agreed = isObject(params) ? member(params, 'notifications') : undefined
  const uris = isObject(agreed) ? member(agreed, 'resourceSubscriptions') : undefined
  return new Set(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [])
}

/** A notification without the id of a subscription that its reader knows nothing of. */
function withoutId(text: string): string {
  const meta = skimPath(text, 'params', '_meta')
  if (meta === undefined) return text
  const rest = rewriteObject(text, meta.start, (m) =>
    m.key === SUBSCRIPTION_ID ? undefined : textOf(text, m),
  )
  if (rest !== '{}') return text.slice(0, meta.start) + rest + text.slice(meta.end)
  const params = skimPath(text, 'params')
  if (params === undefined) return text
  const bare = rewriteObject(text, params.start, (m) =>
    m.key === '_meta' ? undefined : textOf(text, m),
  )
  return text.slice(0, params.start) + bare + text.slice(params.end)
}
