import { randomFillSync } from 'node:crypto'
import type { Log } from '../core/log.ts'
import type { CounterStore, NounStore, RecordStore } from '../core/ports.ts'
import { uuid7Source } from '../core/uuid7.ts'
import { MemoryCounters } from './memory/counters.ts'
import { MemoryNouns } from './memory/nouns.ts'
import { MemoryRecords } from './memory/records.ts'
import { SqliteCounters } from './sqlite/counters.ts'
import { openDatabase } from './sqlite/database.ts'
import { SqliteNouns } from './sqlite/nouns.ts'
import { SqliteRecords } from './sqlite/records.ts'
import { StoreError } from './store-error.ts'

/** Everything that is kept, behind the ports of core. */
export interface Stores {
  readonly counters: CounterStore
  readonly records: RecordStore
  readonly nouns: NounStore
  /** Gives back what is held, writes what waits, and closes. Never rejects. */
  close(): Promise<void>
}

/** Where the stores are. */
export interface StoreOptions {
  /** Which backend: the `store` of the configuration; `sqlite` when it says nothing. */
  readonly url?: string
  /** Where `sqlite` keeps its file. */
  readonly dataDir?: string
  readonly log?: Log
}

type Backend = (options: StoreOptions) => Promise<Stores>

const openSqlite: Backend = async ({ dataDir, log }) => {
  if (dataDir === undefined)
    throw new StoreError('the store `sqlite` needs a data directory; name one')
  const database = await openDatabase(dataDir)
  const counters = new SqliteCounters(database, log)
  const records = new SqliteRecords(database, { log })
  const nouns = new SqliteNouns(database, uuid7Source(randomFillSync))
  const close = async (): Promise<void> => {
    counters.close()
    await records.close()
    database.close()
  }
  return { counters, records, nouns, close }
}

const openMemory: Backend = async () => ({
  counters: new MemoryCounters(),
  records: new MemoryRecords(),
  nouns: new MemoryNouns(uuid7Source(randomFillSync)),
  close: async () => undefined,
})

/** Every backend, by the scheme of its URL. */
const backends: Readonly<Record<string, Backend>> = { sqlite: openSqlite, memory: openMemory }

/** Opens the stores; a `StoreError` says in one line why they can't be, and what to do. */
export async function openStores(options: StoreOptions): Promise<Stores> {
  const scheme = (options.url ?? 'sqlite').split(':', 1)[0] ?? ''
  const open = Object.hasOwn(backends, scheme) ? backends[scheme] : undefined
  if (open === undefined)
    throw new StoreError(
      `unknown store \`${scheme}\`; this version has ${Object.keys(backends)
        .map((name) => `\`${name}\``)
        .join(' and ')}`,
    )
  return open(options)
}
