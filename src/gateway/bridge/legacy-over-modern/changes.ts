import { GatewayError } from '../../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import type { Clock } from '../../../core/ports.ts'
import type { ReplySink, Upstream, UpstreamExchange } from '../../upstream/upstream.ts'
import type { Around } from './own-questions.ts'
import { OwnStream } from './own-stream.ts'
import type { Stamp } from './stamp.ts'
import { NOTHING, Subscription, type Wanted } from './subscription.ts'

/** What it takes to tell a session of changes. */
export interface ChangesMeans {
  readonly inner: Upstream
  readonly around: Around
  readonly clock: Clock
  readonly stamp: () => Stamp
  readonly serverCapabilities: () => Promise<JsonObject>
}

const MAX_URIS = 1_000
/** Requests to watch or not to watch that may wait for each other. */
const MAX_TURNS = 100
/** How long watched resources are listened to without a reader. */
const UNREAD_MS = 300_000

/** What a session is told of: the lists while its stream is open, and the resources it watches. */
export class Changes {
  readonly #means: ChangesMeans
  readonly #uris = new Set<string>()
  readonly #own = new OwnStream()
  readonly #subscription: Subscription
  #isListening = false
  #isClosed = false
  /** Changes to what is watched are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #turns = 0
  /** Runs while resources are watched and nobody reads. */
  #unread: NodeJS.Timeout | undefined
  #isPaused = false

  constructor(means: ChangesMeans) {
    this.#means = means
    this.#subscription = new Subscription({
      inner: means.inner,
      around: means.around,
      stamp: means.stamp,
      now: () => means.clock.now(),
      tell: (text) => this.#own.tell(text),
      onDrain: (resume) => this.#own.onDrain(resume),
    })
  }

  /** The stream of the session is open. */
  get isRead(): boolean {
    return this.#isListening
  }

  /**
   * Watches a resource, or stops; false when the server does not agree.
   * @throws GatewayError when it does not say.
   */
  async watch(uri: string, isWatched: boolean): Promise<boolean> {
    if (!isWatched) {
      this.#uris.delete(uri)
      await this.#follow().catch(() => {})
      return true
    }
    const isNew = !this.#uris.has(uri)
    if (isNew && this.#uris.size >= MAX_URIS)
      throw new GatewayError('too_busy', 'the session watches too many resources')
    this.#uris.add(uri)
    try {
      if ((await this.#follow()).has(uri)) return true
    } catch (thrown) {
      if (isNew) this.#uris.delete(uri)
      throw thrown
    }
    this.#uris.delete(uri)
    return false
  }

  /** Opens the stream of the session; the newest connection reads it. */
  listen(sink: ReplySink): UpstreamExchange {
    this.#isListening = true
    const wasPaused = this.#isPaused
    const left = this.#own.open(sink, () => {
      this.#isListening = false
      this.#follow().catch(() => {})
    })
    this.#follow().then(
      () => wasPaused && this.#subscription.tellAll(),
      () => {},
    )
    return left
  }

  #follow(): Promise<ReadonlySet<string>> {
    if (this.#turns >= MAX_TURNS) return Promise.reject(new GatewayError('too_busy'))
    this.#turns++
    const turn = this.#turn
      .then(() => this.#followNow())
      .finally(() => {
        this.#turns--
      })
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #followNow(): Promise<ReadonlySet<string>> {
    clearTimeout(this.#unread)
    this.#unread = undefined
    this.#isPaused = false
    if (this.#isClosed) throw new GatewayError('session_unknown')
    if (!this.#isListening && this.#uris.size === 0) return this.#subscription.want(NOTHING)
    const can = await this.#means.serverCapabilities()
    if (this.#isClosed) throw new GatewayError('session_unknown')
    const agreed = await this.#subscription.want(wantedOf(can, this.#isListening, [...this.#uris]))
    if (!this.#isListening) this.#unread = setTimeout(() => this.#pause(), UNREAD_MS).unref()
    return agreed
  }

  /** Most clients never end their session: what nobody reads is not listened to for ever. */
  #pause(): void {
    this.#isPaused = true
    this.#subscription.close()
  }

  /** Ends everything. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#unread)
    this.#uris.clear()
    this.#subscription.close()
    this.#own.close()
  }
}

function wantedOf(can: JsonObject, isListening: boolean, uris: readonly string[]): Wanted {
  const has = (name: string, key: string): boolean => {
    const capability = member(can, name)
    return isObject(capability) && member(capability, key) === true
  }
  return {
    toolsListChanged: isListening && has('tools', 'listChanged'),
    promptsListChanged: isListening && has('prompts', 'listChanged'),
    resourcesListChanged: isListening && has('resources', 'listChanged'),
    resourceSubscriptions: uris,
  }
}
