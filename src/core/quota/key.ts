import type { Limit } from '../policy/model.ts'
import { windowIdentity } from './windows/index.ts'

/** Whose call it is, as far as counters are concerned. */
export interface CounterSubject {
  readonly grantId: string
  readonly sessionId?: string | undefined
  readonly server: string
  readonly organisation: string
}

/** A compound key, encoded so that no two lists of parts share one. */
export const counterKey = (...parts: readonly (string | number | null)[]): string =>
  JSON.stringify(parts)

/** Whose counter it is: the scope's kind and value. A caller without a session counts per grant. */
function scopeParts(limit: Limit, subject: CounterSubject): readonly (string | null)[] {
  switch (limit.scope) {
    case 'grant':
      return ['grant', subject.grantId, null]
    case 'session':
      return ['session', subject.grantId, subject.sessionId ?? null]
    case 'server':
      return ['server', subject.server, null]
    case 'organisation':
      return ['organisation', subject.organisation, null]
    default:
      return limit.scope satisfies never
  }
}

/**
 * The counter that a limit draws on: scope, counter name, algorithm and window. Neither policy nor
 * `max` is part of it, so a policy's edit keeps the count, and policies that share a scope
 * (`server`, `organisation`) share its counters by name.
 */
export const limitKey = (limit: Limit, subject: CounterSubject): string =>
  counterKey(
    ...scopeParts(limit, subject),
    limit.counter,
    limit.algorithm,
    limit.window === undefined ? null : windowIdentity(limit.window),
  )
