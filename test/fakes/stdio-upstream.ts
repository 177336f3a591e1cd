import { fileURLToPath } from 'node:url'
import type { LogEvent } from '../../src/core/log.ts'
import type { ServerTarget } from '../../src/core/snapshot.ts'
import { createStdioUpstream, type StdioUpstreamOptions } from '../../src/gateway/upstream/stdio.ts'

/** The scripted server's file. */
export const SCRIPTED = fileURLToPath(new URL('./scripted-server.ts', import.meta.url))

type Target = Extract<ServerTarget, { kind: 'stdio' }>

/** The target that runs the scripted server. */
export const scripted = (more: Partial<Target> = {}): Target => ({
  kind: 'stdio',
  command: process.execPath,
  args: [SCRIPTED],
  env: {},
  cwd: undefined,
  instances: 'session',
  ...more,
})

/** A stdio upstream with its log; the scripted server is behind it unless told otherwise. */
export function openStdio(
  target: Partial<Target> = {},
  options: Partial<Omit<StdioUpstreamOptions, 'entry' | 'target'>> = {},
) {
  const events: LogEvent[] = []
  const whole = scripted(target)
  const upstream = createStdioUpstream({
    entry: { id: 'id', name: 'scripted', target: whole, era: 'both', methods: [], source: 'file' },
    target: whole,
    log: (_level, event) => events.push(event),
    clock: { now: () => performance.timeOrigin + performance.now() },
    environment: process.env,
    ...options,
  })
  return { upstream, events, close: () => upstream.close() }
}
