import { LEGACY_VERSIONS, MODERN_VERSIONS } from '../../core/mcp/revisions.ts'
import type { Grant, ServerEntry, Snapshot, StackEntry } from '../../core/snapshot.ts'
import { makeRoom } from '../bounded.ts'
import { createLegacyOverModern } from '../bridge/legacy-over-modern.ts'
import { Catalogue } from '../catalogue.ts'
import type { Gate, OpenServer } from '../gate.ts'
import type { Servers } from '../servers.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { createStackFace } from './face.ts'
import { Health } from './health.ts'
import { grantFor, type StackView } from './member.ts'
import { readAgain } from './read-again.ts'
import type { Subscription } from './subscription.ts'

/** What stacks stand on. */
export interface StackMeans {
  readonly gate: Gate
  readonly servers: Servers
  readonly snapshot: () => Snapshot
}

/** A stack as one grant opens it. */
interface OpenStack {
  entry: StackEntry
  grant: Grant
  readonly server: OpenServer
  readonly subscriptions: Set<Subscription>
  /** What its lists depend on. */
  shown: string
}

const VERSIONS = [...MODERN_VERSIONS, ...LEGACY_VERSIONS.toReversed()]

/** Faces are small; one that is dropped is made again by the next request. */
const MAX_OPEN = 10_000

/** The stacks in use: one face for each grant, since what a stack shows is a matter of its policies. */
export class Stacks {
  readonly #means: StackMeans
  readonly #health: Health
  readonly #open = new Map<string, OpenStack>()

  constructor(means: StackMeans) {
    this.#means = means
    this.#health = new Health(means.gate)
  }

  /** The stack of an entry as `grant` opens it, in the form of a server. */
  of(entry: StackEntry, grant: Grant): OpenServer {
    const known = this.#open.get(grant.id)
    if (known !== undefined && known.entry.id === entry.id) {
      known.entry = entry
      known.grant = grant
      return known.server
    }
    makeRoom(this.#open, MAX_OPEN)
    const opened = this.#make(entry, grant)
    this.#open.set(grant.id, opened)
    return opened.server
  }

  #make(entry: StackEntry, grant: Grant): OpenStack {
    const subscriptions = new Set<Subscription>()
    const { gate } = this.#means
    const face = createStackFace({
      ...this.#means,
      health: this.#health,
      subscriptions,
      said: new Map(),
      versions: VERSIONS,
      view: (): StackView => ({
        entry: opened.entry,
        grant: opened.grant,
        self: server,
        snapshot: this.#means.snapshot(),
      }),
    })
    const { log, clock } = gate
    const name = stackServerName(entry.name)
    const means = { name, log, clock, mirrorsArguments: true }
    const sessions = createLegacyOverModern(readAgain(face), means)
    const server = serverOf(entry, bothEras(face, sessions))
    const shown = shownBy(entry, grant, this.#means.snapshot())
    const opened: OpenStack = { entry, grant, server, subscriptions, shown }
    return opened
  }

  /** Takes a new configuration in: what is open goes on under it, or ends with its grant. */
  reconcile(snapshot: Snapshot): void {
    const grants = new Map([...snapshot.grants.values()].map((grant) => [grant.id, grant]))
    for (const [id, opened] of this.#open) {
      const grant = grants.get(id)
      const entry = snapshot.stacks.get(opened.entry.id)
      if (grant === undefined || entry === undefined || grant.stack?.name !== entry.name) {
        this.#open.delete(id)
        void end(opened)
        continue
      }
      opened.entry = entry
      opened.grant = grant
      const shown = shownBy(entry, grant, snapshot)
      if (shown === opened.shown) continue
      opened.shown = shown
      for (const subscription of opened.subscriptions) subscription.changed()
    }
  }

  /** Ends what stacks hold themselves; their servers belong to the gateway. */
  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.allSettled(all.map(end))
  }
}

/** The stateless face, and the one with sessions over it. */
const bothEras = (face: Upstream, sessions: Upstream): Upstream => ({
  exchange: (request, sink) => (request.era === 'modern' ? face : sessions).exchange(request, sink),
  listen: (request, sink) => sessions.listen(request, sink),
  endSession: (request) => sessions.endSession(request),
  close: () => sessions.close(),
})

/** What a client sees of a stack, besides what its servers say: members, and their policies. */
const shownBy = (entry: StackEntry, grant: Grant, snapshot: Snapshot): string =>
  JSON.stringify(
    entry.servers.map((name) => {
      const { policy } = grantFor(grant, name)
      return [name, snapshot.servers.get(name)?.target, policy?.id, policy?.version]
    }),
  )

function end({ server, subscriptions }: OpenStack): Promise<void> {
  for (const subscription of subscriptions) subscription.end()
  return server.upstream.close().catch(() => {})
}

/** No server's name holds a slash: what a stack is called on record is nobody else's name. */
export const stackServerName = (name: string): string => `stacks/${name}`

/** A stack in the form of a server: what listeners and sessions hold. */
function serverOf(entry: StackEntry, upstream: Upstream): OpenServer {
  const name = stackServerName(entry.name)
  const own: ServerEntry = {
    id: entry.id,
    name,
    // Nothing connects to a stack.
    target: { kind: 'http', url: `stack:${entry.name}`, headers: {}, transport: 'http' },
    methods: [],
    era: 'auto',
    source: entry.source,
  }
  return {
    entry: own,
    upstream,
    catalogue: new Catalogue(name, () => ({ category: 'Financial', severity: 'Critical' })),
    tasks: new Map(),
    refresh: { at: 0, running: undefined, isStale: false, failure: undefined },
    offers: { kinds: undefined },
  }
}
