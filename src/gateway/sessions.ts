import { randomBytes } from 'node:crypto'
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
}

/** A session in use by this process. */
export interface LiveSession extends SealedSession {
  /** Short and unguessable: names the session in records and counters. */
  readonly id: string
  /** Requests of the server that wait for the client's response. */
  readonly asked: Set<FrameId>
}

const PREFIX = 'sp1.'
/** What a request head has room for; servers' own ids may be long. */
const MAX_ID = 12_288
const MAX_LIVE = 10_000
const MAX_ASKED = 1000

/**
 * Session ids that need no table: an id is the session itself, sealed for this installation's key,
 * bound to its server and grant by what it holds.
 */
export class Sessions {
  readonly #seal: Seal
  readonly #live = new Map<string, LiveSession>()

  constructor(secret: Uint8Array) {
    this.#seal = createSeal(secret, 'session')
  }

  /** A new id for a session. */
  seal(session: SealedSession): string {
    const id = randomBytes(12).toString('base64url')
    const { server, grantId, upstream, protocolVersion, client } = session
    const text = JSON.stringify([id, server, grantId, upstream ?? null, protocolVersion, client])
    return PREFIX + this.#seal.seal(text)
  }

  /** The session of an id; undefined for one that this installation never gave. */
  open(id: string): LiveSession | undefined {
    const known = this.#live.get(id)
    if (known !== undefined) return known
    const opened = this.#unseal(id)
    if (opened === undefined) return undefined
    // The oldest goes first: it only loses what its server still asked.
    makeRoom(this.#live, MAX_LIVE)
    this.#live.set(id, opened)
    return opened
  }

  /** Forgets a session that has ended. */
  drop(id: string): void {
    this.#live.delete(id)
  }

  #unseal(id: string): LiveSession | undefined {
    if (!id.startsWith(PREFIX) || id.length > MAX_ID) return undefined
    const text = this.#seal.open(id.slice(PREFIX.length))
    if (text === undefined) return undefined
    const [short, server, grantId, upstream, protocolVersion, client] = JSON.parse(text)
    return {
      id: short,
      server,
      grantId,
      upstream: upstream ?? undefined,
      protocolVersion,
      client,
      asked: new Set(),
    }
  }
}

/** Remembers that the server asked something; the oldest question is forgotten beyond a bound. */
export function rememberAsked(session: LiveSession, id: FrameId): void {
  makeRoom(session.asked, MAX_ASKED)
  session.asked.add(id)
}
