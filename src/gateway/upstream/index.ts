import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerEntry } from '../../core/snapshot.ts'
import { createHttpUpstream } from './http.ts'
import { createStdioUpstream } from './stdio.ts'
import type { Upstream } from './upstream.ts'

/** Opens the upstream of a server. */
export function openUpstream(entry: ServerEntry, means: { log: Log; clock: Clock }): Upstream {
  const { target } = entry
  switch (target.kind) {
    case 'http':
      return createHttpUpstream(target)
    case 'stdio':
      return createStdioUpstream({ entry, target, ...means })
    default:
      return target satisfies never
  }
}
