import type { StatementSync } from 'node:sqlite'
import { setImmediate as breathe } from 'node:timers/promises'
import type { Instant } from '../../core/instant.ts'
import type { Log } from '../../core/log.ts'
import type { RecordQuery, RecordStore } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'
import { asStoreError } from '../store-error.ts'
import type { Database } from './database.ts'
import { decodeBatch, encodeBatch, type RecordBatch } from './record-batch.ts'
import { RecordQueue } from './record-queue.ts'
import { RecordSearch } from './record-search.ts'

/** How many records may wait to be written; what a crash can lose is at most what waits. */
const QUEUE_BOUND = 20_000
/** How long a record waits at most while the store is well. */
const FLUSH_MS = 50
/** As many waiting records are flushed at once. */
const FLUSH_EARLY = 1000
/** Records of one batch: a millisecond or two, in which neither calls nor other processes go on. */
const BATCH = 500
const RETRY_FIRST_MS = 100
const RETRY_LAST_MS = 5000

/** Records in the embedded database, written behind the calls. */
export class SqliteRecords implements RecordStore {
  readonly #database: Database
  readonly #log: Log | undefined
  readonly #queue: RecordQueue
  readonly #search: RecordSearch
  readonly #insert: StatementSync
  readonly #old: StatementSync
  readonly #remove: StatementSync
  readonly #replace: StatementSync
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  #retryMs = 0
  #isClosed = false

  constructor(database: Database, options: { log?: Log | undefined; queueBound?: number } = {}) {
    this.#database = database
    this.#log = options.log
    this.#queue = new RecordQueue(options.queueBound ?? QUEUE_BOUND)
    this.#search = new RecordSearch(database)
    this.#insert = database.db.prepare(
      'INSERT INTO record_batches (first_id, last_id, earliest, latest, count, terms, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#old = database.db.prepare(
      'SELECT seq, body FROM record_batches WHERE earliest < ? ORDER BY seq LIMIT 8',
    )
    this.#remove = database.db.prepare('DELETE FROM record_batches WHERE seq = ?')
    this.#replace = database.db.prepare(
      'UPDATE record_batches SET first_id = ?, last_id = ?, earliest = ?, latest = ?, count = ?, terms = ?, body = ? WHERE seq = ?',
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
      return await this.#search.find(query)
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
      const gone = this.#writing(() => this.#pruneSome(at))
      all += gone
      if (gone === 0) return all
      await breathe()
    }
  }

  /** Batches that are old as a whole go; of the others, what is old does. */
  #pruneSome(at: Instant): number {
    let gone = 0
    for (const { seq, body } of this.#old.all(at)) {
      const records = decodeBatch(String(body))
      const kept = records.filter((record) => record.at >= at)
      gone += records.length - kept.length
      if (kept.length === 0) this.#remove.run(Number(seq))
      else this.#replace.run(...valuesOf(encodeBatch(kept)), Number(seq))
    }
    return gone
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
        this.#writeBatch()
        if (this.#queue.length > 0) await breathe()
      }
      this.#recovered()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #writeBatch(): void {
    const records = this.#queue.oldest(BATCH)
    const values = valuesOf(encodeBatch(records))
    this.#writing(() => this.#insert.run(...values))
    this.#queue.remove(records.length)
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

type Values = readonly [string, string, number, number, number, string, string]

const valuesOf = (batch: RecordBatch): Values => [
  batch.firstId,
  batch.lastId,
  batch.earliest,
  batch.latest,
  batch.count,
  batch.terms,
  batch.body,
]
