/** Milliseconds since the epoch, UTC. */
export type Instant = number
