import { GatewayError } from '../../../core/errors.ts'
import { canonicalText } from '../../../core/json/canonical.ts'
import type { Clock } from '../../../core/ports.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { FaceBounds } from './bounds.ts'
import { BridgeSession } from './session.ts'
import type { Client } from './text.ts'

const MAX_SWEEP_MS = 60_000

interface Entry {
  readonly session: BridgeSession
  readonly opening: Promise<BridgeSession>
  isOpen: boolean
}

/**
 * The sessions that stateless clients share: one for each grant and each set of capabilities, because
 * what a client can do is said once, when a session is opened.
 */
export class SessionPool {
  readonly #inner: Upstream
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #bounds: FaceBounds
  readonly #sweep: NodeJS.Timeout

  constructor(inner: Upstream, clock: Clock, bounds: FaceBounds) {
    this.#inner = inner
    this.#clock = clock
    this.#bounds = bounds
    const every = Math.min(MAX_SWEEP_MS, bounds.idleMs / 4)
    this.#sweep = setInterval(() => this.#endIdle(), every).unref()
  }

  /** The session for a client's requests: at once when there is one, else once it is open. */
  get(grantId: string, client: Client): BridgeSession | Promise<BridgeSession> {
    const key = canonicalText([grantId, client.capabilities, client.info])
    const known = this.#entries.get(key)
    if (known !== undefined && !known.session.isLost)
      return known.isOpen ? known.session : known.opening
    if (!this.#hasRoom(grantId))
      return Promise.reject(new GatewayError('too_busy', 'too many sessions with this server'))
    const session = new BridgeSession(this.#inner, client, { grantId, now: this.#clock.now })
    const opening = session.open().then(
      () => {
        entry.isOpen = true
        return session
      },
      (error: unknown) => {
        session.lose()
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
        throw error
      },
    )
    const entry: Entry = { session, opening, isOpen: false }
    this.#entries.set(key, entry)
    return opening
  }

  /** Makes room by ending what has been idle the longest. */
  #hasRoom(grantId: string): boolean {
    this.#forgetLost()
    const ofGrant = [...this.#entries].filter(([, { session }]) => session.grantId === grantId)
    const crowd =
      ofGrant.length >= this.#bounds.maxSessionsOfGrant
        ? ofGrant
        : this.#entries.size >= this.#bounds.maxSessions
          ? [...this.#entries]
          : undefined
    if (crowd === undefined) return true
    const [oldest] = crowd
      .filter(([, { session, isOpen }]) => isOpen && session.isIdle)
      .toSorted(([, a], [, b]) => a.session.usedAt - b.session.usedAt)
    if (oldest === undefined) return false
    this.#end(...oldest)
    return true
  }

  #forgetLost(): void {
    for (const [key, { session }] of this.#entries) if (session.isLost) this.#entries.delete(key)
  }

  #endIdle(): void {
    this.#forgetLost()
    const before = this.#clock.now() - this.#bounds.idleMs
    for (const [key, entry] of this.#entries)
      if (entry.isOpen && entry.session.isIdle && entry.session.usedAt < before)
        this.#end(key, entry)
  }

  #end(key: string, { session }: Entry): void {
    this.#entries.delete(key)
    void session.close()
  }

  /** Ends every session. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    const all = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(all.map(({ session }) => session.close()))
  }
}
