import type { Instant } from '../instant.ts'

/** How an exchange ended. */
export type OutcomeKind = 'forwarded' | 'denied' | 'exhausted' | 'failed'

/** The durable account of one exchange. Argument values are never in it. */
export interface DecisionRecord {
  /** UUIDv7. */
  readonly id: string
  readonly at: Instant
  /** The JSON-RPC id, as text; undefined for a notification. */
  readonly requestId: string | undefined
  readonly server: string
  readonly grant: { readonly id: string; readonly label: string }
  readonly session: string | undefined
  readonly client: { readonly name: string; readonly version: string }
  readonly protocolVersion: string
  readonly method: string
  /** Tool, prompt name or resource URI, bounded; undefined for other methods. */
  readonly tool: string | undefined
  readonly effect: 'allow' | 'deny' | 'approve'
  readonly rule: string
  readonly message: string
  readonly policy: string
  readonly policyVersion: string
  readonly mode: 'enforce' | 'observe'
  /** Keys of the arguments, bounded in number and length; never their values. */
  readonly argumentKeys: readonly string[]
  readonly outcome: OutcomeKind
  /** The error's code when it failed. */
  readonly code: string | undefined
  /** HTTP status of the upstream; undefined when it was not asked, or is a process. */
  readonly upstreamStatus: number | undefined
  readonly latencyMs: number
  readonly category: string | undefined
  readonly severity: string | undefined
}
