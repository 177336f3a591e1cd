/** How long a stateless face over sessions waits, and how much it keeps. */
export interface FaceBounds {
  /** Questions that come this close together are asked together. */
  readonly joinMs: number
  /** How long a call waits for its client to come back. */
  readonly parkMs: number
  readonly maxParked: number
  readonly maxParkedOfGrant: number
  /** How long a client that was sent to a page is held when it is back. */
  readonly pageMs: number
  /** A session that nobody uses for this long is ended. */
  readonly idleMs: number
  readonly maxSessions: number
  readonly maxSessionsOfGrant: number
}

/** What holds unless it is said otherwise. */
export const faceBounds: FaceBounds = {
  joinMs: 50,
  parkMs: 10 * 60_000,
  maxParked: 2_000,
  maxParkedOfGrant: 200,
  pageMs: 10_000,
  idleMs: 30 * 60_000,
  maxSessions: 256,
  maxSessionsOfGrant: 16,
}
