import type { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { makeRoom } from '../bounded.ts'

/** How long one member may hold up an answer that all of them are asked for. */
const PATIENCE_MS = 10_000
/** The same for one that did not answer in time the last time. */
const SHORT_MS = 1_000
/** How long a member is remembered as silent. */
const MEMORY_MS = 60_000
const MAX_AILING = 1_000

/** True for an error that the server is to blame for, and not the request. */
export const isOfServer = ({ code }: GatewayError): boolean => code.startsWith('upstream_')

/** Which members of stacks do not answer: each is told of once, and lets everybody wait once. */
export class Health {
  readonly #elapsed: () => number
  readonly #log: Log
  /** When a server was last silent, by name; undefined for one that failed otherwise. */
  readonly #ailing = new Map<string, number | undefined>()

  constructor({ elapsed, log }: { elapsed: () => number; log: Log }) {
    this.#elapsed = elapsed
    this.#log = log
  }

  /** How long a server is waited for now. */
  patienceMs(server: string): number {
    const since = this.#ailing.get(server)
    return since !== undefined && this.#elapsed() - since < MEMORY_MS ? SHORT_MS : PATIENCE_MS
  }

  /** It did not answer, or with an error. What is wrong with a request says nothing of the server. */
  failed(server: string, error: GatewayError): void {
    if (!isOfServer(error)) return
    if (!this.#ailing.has(server)) {
      makeRoom(this.#ailing, MAX_AILING)
      this.#log('warn', { event: 'stack.degraded', upstream: server, code: error.code })
    }
    this.#ailing.set(server, error.code === 'upstream_timeout' ? this.#elapsed() : undefined)
  }

  /** It answered. */
  answered(server: string): void {
    if (this.#ailing.delete(server))
      this.#log('info', { event: 'stack.recovered', upstream: server })
  }
}
