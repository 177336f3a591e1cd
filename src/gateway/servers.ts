import type { ServerEntry, Snapshot } from '../core/snapshot.ts'
import { Catalogue, type Classify } from './catalogue.ts'
import type { OpenServer } from './gate.ts'
import type { Upstream } from './upstream/upstream.ts'

/** The servers in use: opened when first called, kept while their configuration stays the same. */
export class Servers {
  readonly #open: (entry: ServerEntry) => Upstream
  readonly #classify: Classify
  readonly #byName = new Map<string, { server: OpenServer; target: string }>()

  constructor(open: (entry: ServerEntry) => Upstream, classify: Classify) {
    this.#open = open
    this.#classify = classify
  }

  /** The open server of an entry. */
  of(entry: ServerEntry): OpenServer {
    const known = this.#byName.get(entry.name)
    // The same object while nothing was reloaded: the usual case costs one look-up.
    if (known?.server.entry === entry) return known.server
    // What is reached otherwise is another server: nothing that was learned of it holds.
    const target = JSON.stringify([entry.target, entry.era])
    if (known !== undefined && known.target === target) {
      const server = { ...known.server, entry }
      this.#byName.set(entry.name, { server, target })
      return server
    }
    if (known !== undefined) void known.server.upstream.close().catch(() => {})
    const server: OpenServer = {
      entry,
      upstream: this.#open(entry),
      catalogue: new Catalogue(entry.name, this.#classify),
      tasks: new Map(),
      refresh: {
        at: Number.NEGATIVE_INFINITY,
        running: undefined,
        isStale: false,
        failure: undefined,
      },
      offers: { kinds: undefined },
    }
    this.#byName.set(entry.name, { server, target })
    return server
  }

  /** Closes what a new configuration no longer names. */
  reconcile(snapshot: Snapshot): void {
    for (const [name, { server }] of this.#byName)
      if (snapshot.servers.get(name) === undefined) {
        this.#byName.delete(name)
        void server.upstream.close().catch(() => {})
      }
  }

  /** Ends every connection and process. */
  async close(): Promise<void> {
    const all = [...this.#byName.values()]
    this.#byName.clear()
    await Promise.allSettled(all.map(({ server }) => server.upstream.close()))
  }
}
