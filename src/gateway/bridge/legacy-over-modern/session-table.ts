import { GatewayError } from '../../../core/errors.ts'
import { makeRoom } from '../../bounded.ts'

/** What a table asks of the sessions in it. */
export interface Tabled {
  readonly key: string
  readonly grantId: string
  readonly isIdle: boolean
  close(error: GatewayError): void
}

/** The bounds of a table. */
export interface SessionBounds {
  readonly maxSessions: number
  /** One grant must not leave the others without room. */
  readonly maxOfGrant: number
}

export const sessionBounds: SessionBounds = { maxSessions: 10_000, maxOfGrant: 1_000 }

/**
 * The sessions that are in use here, and those that have ended. Any of them may be forgotten: what is
 * lost is what its client set since it was opened, and what it could have read again.
 */
export class SessionTable<T extends Tabled> {
  readonly #bounds: SessionBounds
  /** By key; the one that was used last is the last. */
  readonly #live = new Map<string, T>()
  readonly #ofGrant = new Map<string, number>()
  readonly #ended = new Set<string>()

  constructor(bounds: SessionBounds = sessionBounds) {
    this.#bounds = bounds
  }

  /** The session of a key, which is in use again. @throws GatewayError `session_unknown` once it has ended. */
  find(key: string): T | undefined {
    if (this.#ended.has(key)) throw new GatewayError('session_unknown')
    const session = this.#live.get(key)
    if (session === undefined) return undefined
    this.#live.delete(key)
    this.#live.set(key, session)
    return session
  }

  /** Takes a session in; an idle one makes room. @throws GatewayError `too_busy` where none is idle. */
  add(session: T): void {
    const { grantId } = session
    if (this.#count(grantId) >= this.#bounds.maxOfGrant)
      this.#forgetIdle((one) => one.grantId === grantId)
    else if (this.#live.size >= this.#bounds.maxSessions) this.#forgetIdle(() => true)
    this.#live.set(session.key, session)
    this.#ofGrant.set(grantId, this.#count(grantId) + 1)
  }

  /** Ends a session: its key is unknown from now on. */
  end(session: T, error: GatewayError): void {
    makeRoom(this.#ended, this.#bounds.maxSessions)
    this.#ended.add(session.key)
    this.#remove(session, error)
  }

  /** Ends everything that is under way. */
  close(error: GatewayError): void {
    for (const session of [...this.#live.values()]) this.#remove(session, error)
  }

  #count(grantId: string): number {
    return this.#ofGrant.get(grantId) ?? 0
  }

  #forgetIdle(mayGo: (session: T) => boolean): void {
    for (const session of this.#live.values())
      if (mayGo(session) && session.isIdle) {
        this.#remove(session, new GatewayError('session_unknown'))
        return
      }
    throw new GatewayError('too_busy', 'too many sessions')
  }

  #remove(session: T, error: GatewayError): void {
    if (!this.#live.delete(session.key)) return
    const left = this.#count(session.grantId) - 1
    if (left > 0) this.#ofGrant.set(session.grantId, left)
    else this.#ofGrant.delete(session.grantId)
    session.close(error)
  }
}
