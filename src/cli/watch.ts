import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../core/log.ts'
import type { NounStore } from '../core/ports.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Config } from './config/config-model.ts'
import { type FileProblem, type Load, type Loaded, problemLine } from './load.ts'
import { noNouns, nounReader, type StoredNouns } from './nouns.ts'
import { buildSnapshot } from './snapshot.ts'

const pollMs = 250
/** How often a file that is still being written may be looked at again before it is read anyway. */
const mostWaits = 2

/** What is in force. */
export interface InForce {
  readonly config: Config
  readonly snapshot: Snapshot
}

/** Keeps the configuration in force in step with its files and the store. */
export interface ConfigWatch {
  readonly current: () => InForce
  /** Resolves when everything stored until now is in force. */
  readonly changed: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A start with these files fails, or the watch over them. */
export type WatchResult =
  | { readonly ok: true; readonly watch: ConfigWatch }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/** What {@link watchConfig} needs. */
export interface WatchOptions {
  readonly load: Load
  /** Undefined where nothing is stored. */
  readonly nouns: NounStore | undefined
  /** Called with every new state; not for the first. */
  readonly onSwap: (next: InForce) => void
  readonly log: Log
}

/**
 * Reads the configuration and follows its files and the store by polling: an atomic rename, an
 * editor's rewrite and a swapped symlink all look the same to it. An edit that does not validate
 * is reported and the last good state stays in force, as a whole.
 */
export async function watchConfig(options: WatchOptions): Promise<WatchResult> {
  const { load, nouns, onSwap, log } = options
  const first = load()
  if (!first.ok) return { ok: false, problems: first.problems }
  const readNouns = nouns === undefined ? async () => noNouns : nounReader(nouns)

  let loaded: Loaded = first.loaded
  let files = first.files
  // Empty, so that the first poll reads again: an edit made since the first read is not missed.
  let prints: ReadonlyMap<string, Fingerprint> = new Map()
  let revision = nouns?.revision()
  let stored: StoredNouns = await readNouns()
  let told = new Set<string>()
  const put = (): InForce => {
    const { snapshot, clashes } = buildSnapshot(loaded.config, loaded.policies, stored)
    const notes = new Set<string>()
    for (const clash of clashes) {
      const note = JSON.stringify(clash)
      notes.add(note)
      if (!told.has(note)) log('warn', { event: 'config.shadowed', ...clash })
    }
    for (const noun of stored.broken) {
      const note = JSON.stringify(noun)
      notes.add(note)
      if (!told.has(note)) log('error', { event: 'noun.refused', ...noun })
    }
    told = notes
    return { config: loaded.config, snapshot }
  }
  let inForce = put()

  let waits = 0
  let pending: ReadonlyMap<string, Fingerprint> | undefined
  const check = async (): Promise<void> => {
    let isChanged = false
    const now = await fingerprints(files)
    if (!isSame(now, prints)) {
      const isWhole = isReplaced(now, prints) || (pending !== undefined && isSame(now, pending))
      if (isWhole || waits >= mostWaits) {
        pending = undefined
        waits = 0
        prints = now
        isChanged = reload()
      } else {
        // Written in place: half a policy may be valid and mean something else.
        pending = now
        waits++
      }
    }
    const nextRevision = nouns?.revision()
    if (nextRevision !== revision) {
      stored = await readNouns()
      revision = nextRevision
      isChanged = true
    }
    if (isChanged) {
      inForce = put()
      log('info', { event: 'config.swapped', ...sizes(inForce.snapshot) })
      onSwap(inForce)
    }
  }

  let refused = ''
  const reload = (): boolean => {
    const next = load()
    files = next.files
    const lines = next.ok ? [] : next.problems.map(problemLine)
    if (lines.length > 0 && lines.join('\n') !== refused)
      log('error', { event: 'config.refused', problems: lines })
    refused = lines.join('\n')
    if (!next.ok || isSameLoaded(next.loaded, loaded)) return false
    const keys = fixedChanges(next.loaded.config, loaded.config)
    if (keys.length > 0) log('warn', { event: 'config.deferred', keys, until: 'restart' })
    loaded = next.loaded
    return true
  }

  let isDown = false
  const safely = async (): Promise<void> => {
    try {
      await check()
      if (isDown) log('info', { event: 'store.recovered', store: 'configuration' })
      isDown = false
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown error'
      if (!isDown) log('error', { event: 'store.failed', store: 'configuration', reason })
      isDown = true
    }
  }

  // INVARIANT: one check at a time, in the order they were asked for.
  let queue: Promise<void> = Promise.resolve()
  const enqueue = (): Promise<void> => {
    queue = queue.then(safely)
    return queue
  }
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const poll = (): void => {
    timer = setTimeout(() => {
      void enqueue().then(() => {
        if (!isClosed) poll()
      })
    }, pollMs)
    timer.unref()
  }
  poll()
  return {
    ok: true,
    watch: {
      current: () => inForce,
      changed: enqueue,
      close: async () => {
        isClosed = true
        clearTimeout(timer)
        await queue
      },
    },
  }
}

/** Keys that are read once, at the start: a change of these waits for a restart. */
const fixedChanges = (a: Config, b: Config): readonly string[] => [
  ...(isDeepStrictEqual(a.listen, b.listen) ? [] : ['listen']),
  ...(a.audit === b.audit ? [] : ['audit']),
  ...(a.admin.tokenDigest === b.admin.tokenDigest ? [] : ['admin.token']),
]

const versions = (loaded: Loaded): unknown => [...loaded.policies].map(([n, p]) => [n, p.version])

const isSameLoaded = (a: Loaded, b: Loaded): boolean =>
  isDeepStrictEqual(a.config, b.config) && isDeepStrictEqual(versions(a), versions(b))

const sizes = (snapshot: Snapshot) => ({
  servers: new Set(snapshot.servers.values()).size,
  policies: snapshot.policies.size,
  grants: snapshot.grants.size,
})

/** What tells two contents of a file apart without reading it. */
interface Fingerprint {
  readonly inode: string
  readonly state: string
}

async function fingerprints(files: readonly string[]): Promise<ReadonlyMap<string, Fingerprint>> {
  const all = await Promise.all(
    files.map(async (file): Promise<[string, Fingerprint]> => {
      try {
        const s = await stat(file, { bigint: true })
        return [file, { inode: `${s.dev}:${s.ino}`, state: `${s.size}:${s.mtimeNs}:${s.ctimeNs}` }]
      } catch (error) {
        return [file, { inode: 'none', state: (error as NodeJS.ErrnoException).code ?? 'error' }]
      }
    }),
  )
  return new Map(all)
}

/** True when both have seen the same files in the same state. */
const isSame = (
  a: ReadonlyMap<string, Fingerprint>,
  b: ReadonlyMap<string, Fingerprint>,
): boolean =>
  a.size === b.size &&
  [...a].every(([file, print]) => {
    const other = b.get(file)
    return other?.inode === print.inode && other.state === print.state
  })

/** True when every change is a file put in place whole (renamed over, symlink swapped). */
const isReplaced = (
  now: ReadonlyMap<string, Fingerprint>,
  before: ReadonlyMap<string, Fingerprint>,
): boolean =>
  [...now].every(([file, print]) => {
    const other = before.get(file)
    return other === undefined || other.inode !== print.inode || other.state === print.state
  })
