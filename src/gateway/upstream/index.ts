import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerEntry, ServerTarget } from '../../core/snapshot.ts'
import { checkAnswers } from '../answers/checked.ts'
import { credentialsOf } from '../answers/credentials.ts'
import { createMask } from '../answers/mask.ts'
import { createTrouble, type Trouble } from '../bridge/era-knowledge.ts'
import { type Bridge, speakBothEras } from '../bridge/eras.ts'
import { createLegacyOverModern } from '../bridge/legacy-over-modern.ts'
import { createModernOverLegacy } from '../bridge/modern-over-legacy.ts'
import { createDetectingUpstream } from './detecting.ts'
import { createHttpUpstream } from './http.ts'
import type { ProcessEnd } from './peer.ts'
import { createSseUpstream } from './sse.ts'
import { createStdioUpstream, type StdioUpstreamOptions } from './stdio.ts'
import type { Upstream } from './upstream.ts'

/** What the upstreams of all servers stand on. */
export interface UpstreamMeans {
  readonly log: Log
  readonly clock: Clock
  /** For servers that are processes. */
  readonly process?: Pick<StdioUpstreamOptions, 'bounds' | 'stderr' | 'onExit'>
}

/** A server, with what its processes can be told. */
export interface OpenedUpstream {
  readonly upstream: Upstream
  /** Passes a signal on to every process of the server. */
  signal(signal: NodeJS.Signals): void
}

const legacyOverModern: Bridge = (inner, { entry, log, clock }) =>
  createLegacyOverModern(inner, {
    name: entry.name,
    log,
    clock,
    mirrorsArguments: entry.target.kind === 'http',
  })
const bridges = { modernOverLegacy: createModernOverLegacy, legacyOverModern }

/** Opens the upstream of a server, for clients of both eras. */
export const openUpstream = (entry: ServerEntry, means: UpstreamMeans): Upstream =>
  openServer(entry, means).upstream

/** The same, for whoever stands in for the server's own process. */
export function openServer(entry: ServerEntry, means: UpstreamMeans): OpenedUpstream {
  const { upstream, signal } = openUnchecked(entry, means)
  const mask = createMask(credentialsOf(entry.target))
  return { upstream: checkAnswers(upstream, mask), signal }
}

function openUnchecked(entry: ServerEntry, means: UpstreamMeans): OpenedUpstream {
  const { target } = entry
  const { log, clock } = means
  const trouble = createTrouble()
  const common = { entry, log, clock, trouble, bridges }
  switch (target.kind) {
    case 'http': {
      const inner = openUrl(entry.name, target, common)
      return {
        upstream: speakBothEras(inner, { ...common, openSibling: undefined }),
        signal: () => {},
      }
    }
    case 'stdio': {
      const options = { entry, target, log, clock }
      const inner = createStdioUpstream({
        ...options,
        ...means.process,
        onExit(end) {
          if (wasUseless(end)) trouble.note('gone')
          means.process?.onExit?.(end)
        },
      })
      const openSibling = (): Upstream => createStdioUpstream({ ...options, log: quietly(log) })
      return { upstream: speakBothEras(inner, { ...common, openSibling }), signal: inner.signal }
    }
    default:
      return target satisfies never
  }
}

/** That a process ends over a question is an answer; if it really is broken, the next one says so. */
const quietly =
  (log: Log): Log =>
  (level, event) =>
    log(
      event.event === 'upstream.lost' || event.event === 'upstream.failed' ? 'debug' : level,
      event,
    )

/** A process that ended by itself before it was good for anything: is it what we took it for? */
const wasUseless = ({ hadAnswered, wasClosed }: ProcessEnd): boolean => !hadAnswered && !wasClosed

/** The transport that is configured, or the one that the server turns out to speak. */
function openUrl(
  name: string,
  target: Extract<ServerTarget, { kind: 'http' }>,
  means: { log: Log; clock: Clock; trouble: Trouble },
): Upstream {
  const { log, clock, trouble } = means
  if (target.transport === 'http') return createHttpUpstream(target, trouble)
  const sse = createSseUpstream({ name, target, log, clock })
  if (target.transport === 'sse') return sse
  const http = createHttpUpstream(target, trouble)
  return createDetectingUpstream({ http, sse, name, log, trouble })
}
