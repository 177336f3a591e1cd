import type { StatementSync } from 'node:sqlite'
import { setImmediate as breathe } from 'node:timers/promises'
import type { Instant } from '../../core/instant.ts'
import type { Log } from '../../core/log.ts'
import type { RecordQuery, RecordStore } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'
import { asStoreError } from '../store-error.ts'
import type { Database } from './database.ts'
import { RecordQueue } from './record-queue.ts'
import { recordOf, rowOf } from './record-row.ts'
import { RecordSearch } from './record-search.ts'

/** How many records may wait to be written; what a crash can lose is at most what waits. */
const QUEUE_BOUND = 20_000
/** How long a record waits at most while the store is well. */
const FLUSH_MS = 50
/** As many waiting records are flushed at once. */
const FLUSH_EARLY = 1000
/** Rows of one transaction: a millisecond or two, in which neither calls nor other processes go on. */
const CHUNK_ROWS = 500
const RETRY_FIRST_MS = 100
const RETRY_LAST_MS = 5000

/** Records in the embedded database, written behind the calls. */
export class SqliteRecords implements RecordStore {
  readonly #database: Database
  readonly #log: Log | undefined
  readonly #queue: RecordQueue
  readonly #search: RecordSearch
  readonly #insert: StatementSync
  readonly #prune: StatementSync
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #retryMs = 0
  #isClosed = false

  constructor(database: Database, options: { log?: Log | undefined; queueBound?: number } = {}) {
    this.#database = database
    this.#log = options.log
    this.#queue = new RecordQueue(options.queueBound ?? QUEUE_BOUND)
    this.#search = new RecordSearch(database)
    // An id that is already there is a record that was already taken.
    this.#insert = database.db.prepare(
      'INSERT OR IGNORE INTO records (id, at, server, grant_id, tool, effect, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#prune = database.db.prepare(
      'DELETE FROM records WHERE seq IN (SELECT seq FROM records WHERE seq <= ? AND at < ? LIMIT 1000)',
    )
  }

  put(record: DecisionRecord): void {
    this.#queue.push(record)
    if (this.#isClosed) return
    if (this.#queue.length === FLUSH_EARLY && this.#retryMs === 0) this.#flushSoon(0)
    else if (this.#timer === undefined) this.#flushSoon(FLUSH_MS)
  }

  async flush(): Promise<void> {
    // What was put while an earlier flush ran may not be part of it.
    await this.#flushing?.catch(() => undefined)
    await this.#flushAll()
  }

  async list(query: RecordQuery): Promise<readonly DecisionRecord[]> {
    // One that has just been put is found; when it can't be written, what is there still is.
    await this.flush().catch(() => undefined)
    try {
      return (await this.#search.find(query)).map(recordOf)
    } catch (error) {
      throw asStoreError(error, this.#database.path)
    }
  }

  dropped(): number {
    return this.#queue.dropped
  }

  /** Removes records from before `at`; gives how many. */
  async prune(at: Instant): Promise<number> {
    let all = 0
    for (;;) {
      const last = this.#search.lastSeq()
      const gone = this.#writing(() => Number(this.#prune.run(last, at).changes))
      all += gone
      if (gone < 1000) return all
      await breathe()
    }
  }

  /** Writes what waits, if it can; the rest is counted as dropped. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.flush().catch(() => undefined)
    if (this.#queue.length === 0) return
    this.#queue.drop()
    this.#log?.('error', {
      event: 'record.dropped',
      total: this.#queue.dropped,
      reason: 'the store did not take them before the end',
    })
  }

  #flushSoon(inMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      // Its failure is logged, and tried again.
      void this.#flushAll().catch(() => undefined)
    }, inMs).unref()
  }

  #flushAll(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      for (let left = this.#queue.length; left > 0; left = this.#queue.length) {
        this.#writeChunk()
        if (this.#queue.length > 0) await breathe()
      }
      this.#recovered()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #writeChunk(): void {
    const chunk = this.#queue.oldest(CHUNK_ROWS)
    this.#writing(() => {
      for (const record of chunk) this.#insert.run(...rowOf(record))
    })
    this.#queue.remove(chunk.length)
  }

  #writing<T>(work: () => T): T {
    try {
      return this.#database.transact(work)
    } catch (error) {
      throw asStoreError(error, this.#database.path)
    }
  }

  #failed(error: unknown): Error {
    const failure = asStoreError(error, this.#database.path)
    if (this.#retryMs === 0)
      this.#log?.('error', {
        event: 'store.failed',
        store: 'records',
        reason: failure.message,
      })
    this.#retryMs = Math.min(RETRY_LAST_MS, Math.max(RETRY_FIRST_MS, this.#retryMs * 2))
    if (!this.#isClosed) this.#flushSoon(this.#retryMs)
    return failure
  }

  #recovered(): void {
    if (this.#retryMs === 0) return
    this.#retryMs = 0
    this.#log?.('info', { event: 'store.recovered', store: 'records' })
    if (this.#queue.dropped > 0)
      this.#log?.('error', {
        event: 'record.dropped',
        total: this.#queue.dropped,
        reason: 'the store did not take them in time',
      })
  }
}
