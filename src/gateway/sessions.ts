import { randomBytes } from 'node:crypto'
import type { Askable } from '../core/mcp/asking.ts'
import type { FrameId } from '../core/mcp/frame-model.ts'
import { makeRoom } from './bounded.ts'
import { createSeal, type Seal } from './seal.ts'

/** What a session id stands for; everything that must survive a restart is sealed inside it. */
export interface SealedSession {
  readonly server: string
  readonly grantId: string
  /** The upstream's own session id; undefined when it opened none. */
  readonly upstream: string | undefined
  readonly protocolVersion: string
  readonly client: { readonly name: string; readonly version: string }
  /** What its server may ask of the client: what that declared. */
  readonly askable: readonly Askable[]
  /** Which policy was in force when it began (see `policyMark`); undefined for none. */
  readonly policy?: string | undefined
}

/** A session in use by this process. */
export interface LiveSession extends SealedSession {
  /** Short and unguessable: names the session in records and counters. */
  readonly id: string
  /** Requests of the server that wait for the client's response. */
  readonly asked: Set<FrameId>
}

/** A session and when it was last used, in looks. */
interface Use {
  readonly session: LiveSession
  usedAt: number
  streams: number
}

const PREFIX = 'sp1.'
/** What a request head has room for; servers' own ids may be long. */
const MAX_ID = 12_288
const MAX_LIVE = 10_000
/** Streams of one session that are open at once. */
const MAX_STREAMS = 16
const MAX_ENDED = 50_000
/** How long a session may go unused, with no stream of it open. */
const IDLE_MS = 4 * 3_600_000
/** In how many looks that time is measured: a use costs no reading of a clock. */
const LOOKS = 8
/** How often to look. */
export const SESSION_LOOK_MS = IDLE_MS / LOOKS
const MAX_ASKED = 1000

/**
 * Session ids that need no table: an id is the session itself, sealed for this installation's key,
 * bound to its server and grant by what it holds.
 */
export class Sessions {
  readonly #seal: Seal
  readonly #live = new Map<string, Use>()
  /** Short ids of sessions that are over; a sealed id alone would open them again. */
  readonly #ended = new Set<string>()
  #looks = 0

  constructor(secret: Uint8Array) {
    this.#seal = createSeal(secret, 'session')
  }

  /** A new id for a session. */
  seal(session: SealedSession): string {
    const id = randomBytes(12).toString('base64url')
    const { server, grantId, upstream, protocolVersion, client, askable, policy } = session
    const text = JSON.stringify([
      ...[id, server, grantId, upstream ?? null, protocolVersion, client, askable],
      ...(policy === undefined ? [] : [policy]),
    ])
    const sealed = PREFIX + this.#seal.seal(text)
    this.#use(sealed, { ...session, id, asked: new Set() })
    return sealed
  }

  /** The session of an id; undefined for one that this installation never gave, or that is over. */
  open(id: string): LiveSession | undefined {
    const known = this.#live.get(id)
    if (known !== undefined) {
      known.usedAt = this.#looks
      return known.session
    }
    const opened = this.#unseal(id)
    if (opened === undefined || this.#ended.has(opened.id)) return undefined
    return this.#use(id, opened).session
  }

  #use(id: string, session: LiveSession): Use {
    // The oldest goes first: it only loses what its server still asked.
    makeRoom(this.#live, MAX_LIVE)
    const use: Use = { session, usedAt: this.#looks, streams: 0 }
    this.#live.set(id, use)
    return use
  }

  /**
   * A stream of the session is opened: the session is in use until what this gives is called.
   * Undefined when it has too many.
   */
  hold(id: string): (() => void) | undefined {
    const use = this.#live.get(id)
    if (use === undefined) return () => {}
    if (use.streams >= MAX_STREAMS) return undefined
    use.streams++
    return () => {
      use.streams--
      use.usedAt = this.#looks
    }
  }

  /** The session is over: this process opens it no more. */
  end(id: string): void {
    const session = this.#live.get(id)?.session ?? this.#unseal(id)
    this.#live.delete(id)
    if (session === undefined) return
    makeRoom(this.#ended, MAX_ENDED)
    this.#ended.add(session.id)
  }

  /** Ends what nobody has used for long, and gives it: most clients never end their session. */
  endIdle(): readonly LiveSession[] {
    this.#looks++
    const idle = [...this.#live].filter(
      ([, use]) => use.streams === 0 && this.#looks - use.usedAt > LOOKS,
    )
    for (const [id] of idle) this.end(id)
    return idle.map(([, { session }]) => session)
  }

  #unseal(id: string): LiveSession | undefined {
    if (!id.startsWith(PREFIX) || id.length > MAX_ID) return undefined
    const text = this.#seal.open(id.slice(PREFIX.length))
    if (text === undefined) return undefined
    const [short, server, grantId, upstream, protocolVersion, client, askable, policy] =
      JSON.parse(text)
    return {
      id: short,
      server,
      grantId,
      upstream: upstream ?? undefined,
      protocolVersion,
      client,
      askable: askable ?? [],
      policy,
      asked: new Set(),
    }
  }
}

/** Remembers that the server asked something; the oldest question is forgotten beyond a bound. */
export function rememberAsked(session: LiveSession, id: FrameId): void {
  makeRoom(session.asked, MAX_ASKED)
  session.asked.add(id)
}
