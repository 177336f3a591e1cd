import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { migrations } from '../migrations/index.ts'
import { asStoreError, isBusy, StoreError } from '../store-error.ts'

/** Marks a file as ours: `SPRT`. */
const APPLICATION_ID = 0x53505254
/** The longest that a statement waits, and with it the event loop, for another process's transaction. */
const BUSY_TIMEOUT_MS = 500
/** The same after it waited in vain, so that a lock that is stuck does not stop the process call after call. */
const IMPATIENT_MS = 5
/** The longest that opening waits for other processes that open or migrate. */
const OPEN_TIMEOUT_MS = 10_000
/** How soon the write-ahead log is truncated to, so that one burst does not keep the disk. */
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024

/** The embedded database: one file, shared by any number of processes of this machine. */
export interface Database {
  readonly db: DatabaseSync
  readonly path: string
  /** Runs `work` under the write lock, all of it or nothing. INVARIANT: `work` is synchronous. */
  transact<T>(work: () => T): T
  close(): void
}

/** Opens, or makes, `sallyport.db` in the data directory and brings it to the present version. */
export async function openDatabase(dataDir: string): Promise<Database> {
  const path = join(dataDir, 'sallyport.db')
  makeFile(dataDir, path)
  const deadline = performance.now() + OPEN_TIMEOUT_MS
  for (;;) {
    try {
      return openOnce(path)
    } catch (error) {
      // Switching to the write-ahead log does not wait for the lock as other statements do.
      if (!isBusy(error) || performance.now() > deadline) throw asStoreError(error, path)
    }
    await pause(20)
  }
}

function makeFile(dataDir: string, path: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw asStoreError(error, dataDir)
  }
  try {
    // SQLite gives its log files the mode of the database.
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw asStoreError(error, path)
  }
}

function openOnce(path: string): Database {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    const version = checkVersion(db, path)
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = NORMAL')
    db.exec(`PRAGMA journal_size_limit = ${JOURNAL_LIMIT_BYTES}`)
    db.exec('PRAGMA temp_store = MEMORY')
    if (version < migrations.length) migrate(db, path)
    return database(db, path)
  } catch (error) {
    db.close()
    throw error
  }
}

const pragma = (db: DatabaseSync, name: string): number =>
  Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])

/** How many migrations the file has had; refuses one that is not ours or is newer than we are. */
function checkVersion(db: DatabaseSync, path: string): number {
  const version = pragma(db, 'user_version')
  const owner = pragma(db, 'application_id')
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (owner !== APPLICATION_ID && !(isEmpty && owner === 0))
    throw new StoreError(`\`${path}\` belongs to another program; choose another data directory`)
  if (version > migrations.length)
    throw new StoreError(
      `\`${path}\` was written by a newer Sallyport (schema ${version}, this one knows ${migrations.length}); use that one, or another data directory`,
    )
  return version
}

/** Forward only, one transaction: a crash in the middle leaves the old version. */
function migrate(db: DatabaseSync, path: string): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have migrated while this one waited for the lock.
    const version = checkVersion(db, path)
    for (const sql of migrations.slice(version)) db.exec(sql)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function database(db: DatabaseSync, path: string): Database {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  let isPatient = true
  const lock = (): void => {
    try {
      begin.run()
    } catch (error) {
      if (isPatient && isBusy(error)) setPatience(false)
      throw error
    }
    if (!isPatient) setPatience(true)
  }
  const setPatience = (patient: boolean): void => {
    isPatient = patient
    db.exec(`PRAGMA busy_timeout = ${patient ? BUSY_TIMEOUT_MS : IMPATIENT_MS}`)
  }
  return {
    db,
    path,
    transact(work) {
      lock()
      try {
        const result = work()
        commit.run()
        return result
      } catch (error) {
        if (db.isTransaction) rollback.run()
        throw error
      }
    },
    close: () => {
      if (db.isOpen) db.close()
    },
  }
}
