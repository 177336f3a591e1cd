/** What operators are told: a closed union, so that every event has one name and known fields. */
export type LogEvent =
  | { readonly event: 'gateway.started'; readonly url: string; readonly dataDir: string }
  | { readonly event: 'gateway.stopping'; readonly signal: string }
  | { readonly event: 'gateway.stopped' }
  | { readonly event: 'admin.created'; readonly tokenFile: string }
  | {
      readonly event: 'config.swapped'
      readonly servers: number
      readonly policies: number
      readonly grants: number
    }
  | { readonly event: 'config.refused'; readonly problems: readonly string[] }
  | {
      readonly event: 'config.deferred'
      readonly keys: readonly string[]
      readonly until: 'restart'
    }
  | { readonly event: 'config.shadowed'; readonly kind: string; readonly name: string }
  | {
      readonly event: 'noun.refused'
      readonly kind: string
      readonly name: string
      readonly reason: string
    }
  | {
      readonly event: 'policy.refused'
      readonly policy: string
      readonly problems: readonly string[]
    }
  | { readonly event: 'upstream.started'; readonly upstream: string; readonly pid: number }
  | { readonly event: 'upstream.said'; readonly upstream: string; readonly line: string }
  | { readonly event: 'upstream.babbled'; readonly upstream: string; readonly bytes: number }
  | { readonly event: 'upstream.unrouted'; readonly upstream: string; readonly bytes: number }
  | { readonly event: 'upstream.lost'; readonly upstream: string; readonly reason: string }
  | {
      readonly event: 'upstream.detected'
      readonly upstream: string
      readonly transport: 'http' | 'sse'
    }
  | {
      readonly event: 'upstream.restarting'
      readonly upstream: string
      readonly inMs: number
      readonly attempt: number
    }
  | { readonly event: 'upstream.probed'; readonly upstream: string; readonly speaks: string }
  | { readonly event: 'upstream.failed'; readonly upstream: string; readonly reason: string }
  | { readonly event: 'stack.degraded'; readonly upstream: string; readonly code: string }
  | { readonly event: 'stack.recovered'; readonly upstream: string }
  | {
      readonly event: 'tool.changed'
      readonly upstream: string
      readonly tool: string
      readonly change: 'added' | 'changed' | 'removed'
    }
  | {
      readonly event: 'tool.unreachable'
      readonly upstream: string
      readonly tool: string
      readonly reason: string
    }
  | { readonly event: 'control.failed'; readonly reason: string }
  | { readonly event: 'record.dropped'; readonly total: number; readonly reason: string }
  | { readonly event: 'store.failed'; readonly store: string; readonly reason: string }
  | { readonly event: 'store.recovered'; readonly store: string }
  | {
      readonly event: 'exchange.failed'
      readonly exchangeId: string
      readonly code: string
      readonly reason: string
    }

/** Who should act: a person now, a person this week, nobody (lifecycle), nobody (one per exchange). */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Takes one event; never throws, never blocks. */
export type Log = (level: LogLevel, event: LogEvent) => void
