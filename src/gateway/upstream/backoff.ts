/** How fast a process that keeps ending is started again. */
export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
  /** A process that lived this long starts the count anew. */
  readonly healthyMs: number
  /** 0 … 1 */
  readonly random: () => number
}

/** Waits longer after every failure, with jitter, so that many do not return at the same instant. */
export function createBackoff(options: BackoffOptions) {
  let attempt = 0
  return {
    /** A process ended after this long. */
    ended(livedMs: number): void {
      attempt = livedMs >= options.healthyMs ? 1 : attempt + 1
    },
    attempt: (): number => attempt,
    /** How long to wait before the next start: between a half of the step and all of it. */
    delayMs(): number {
      if (attempt === 0) return 0
      const step = Math.min(options.maxMs, options.minMs * 2 ** Math.min(attempt - 1, 30))
      return Math.round(step / 2 + (step / 2) * options.random())
    },
  }
}
