import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogEvent } from '../../src/core/log.ts'
import { MemoryRecords } from '../../src/store/memory/records.ts'
import { openStores } from '../../src/store/open.ts'
import { openDatabase } from '../../src/store/sqlite/database.ts'
import { SqliteRecords } from '../../src/store/sqlite/records.ts'
import { startChild } from '../fakes/child.ts'
import { type DataDir, makeDataDir } from '../fakes/data-dir.ts'
import { aRecord, recordId } from '../fakes/records.ts'
import { until } from '../fakes/until.ts'
import { describeRecordStore } from './record-store.ts'

describeRecordStore('in memory', async () => ({
  records: new MemoryRecords(),
  close: async () => undefined,
}))

let dataDir: DataDir
beforeEach(() => {
  dataDir = makeDataDir()
})
afterEach(() => dataDir.remove())

describeRecordStore('in SQLite', async () => {
  const own = makeDataDir()
  const stores = await openStores({ dataDir: own.path })
  return {
    records: stores.records,
    async close() {
      await stores.close()
      own.remove()
    },
  }
})

describe('records in SQLite', () => {
  test('are written within a moment, without being asked', async () => {
    const stores = await openStores({ dataDir: dataDir.path })
    const db = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    const count = db.prepare('SELECT SUM(count) AS n FROM record_batches')
    stores.records.put(aRecord(1))
    await until(() => count.get()?.n === 1, 'the record to be written', 2000)
    db.close()
    await stores.close()
  })

  test('put by one process are followed by another, late ones too', async () => {
    const writer = await openStores({ dataDir: dataDir.path })
    const other = await openStores({ dataDir: dataDir.path })
    const reader = await openStores({ dataDir: dataDir.path })
    writer.records.put(aRecord(5))
    await writer.records.flush()
    const [seen] = await reader.records.list({ limit: 10, after: recordId(0) })
    // The other process made its id earlier and wrote it later.
    other.records.put(aRecord(4))
    await other.records.flush()
    const late = await reader.records.list({ limit: 10, after: seen?.id ?? '' })
    expect(late.map((record) => record.latencyMs)).toEqual([4])
    for (const stores of [writer, other, reader]) await stores.close()
  })

  test('put before the close are there after it', async () => {
    const first = await openStores({ dataDir: dataDir.path })
    for (let i = 0; i < 3000; i++) first.records.put(aRecord(i))
    await first.close()
    const second = await openStores({ dataDir: dataDir.path })
    expect(await second.records.list({ limit: 5000 })).toHaveLength(3000)
    await second.close()
  })

  test('that can not be written wait, are retried, and beyond the bound the oldest are dropped and counted', async () => {
    const database = await openDatabase(dataDir.path)
    const events: LogEvent[] = []
    const log = (_: unknown, event: LogEvent): void => void events.push(event)
    const records = new SqliteRecords(database, { log, queueBound: 100 })
    const other = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    other.exec('BEGIN IMMEDIATE')
    for (let i = 0; i < 130; i++) records.put(aRecord(i))
    await expect(records.flush()).rejects.toThrow(/locked by another process/)
    expect(records.dropped()).toBe(30)
    expect(events).toMatchObject([{ event: 'store.failed', store: 'records' }])
    other.exec('ROLLBACK')
    other.close()
    const names = (): string[] => events.map((event) => event.event)
    await until(() => names().includes('store.recovered'), 'the records to be written', 5000)
    expect(names()).toEqual(['store.failed', 'store.recovered', 'record.dropped'])
    const kept = await records.list({ limit: 500 })
    expect(kept.map((record) => record.latencyMs)).toEqual(
      Array.from({ length: 100 }, (_, i) => 129 - i),
    )
    await records.close()
    database.close()
  })

  test('that never could be written are counted as dropped at the close', async () => {
    const database = await openDatabase(dataDir.path)
    const records = new SqliteRecords(database)
    const other = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    other.exec('BEGIN IMMEDIATE')
    for (let i = 0; i < 7; i++) records.put(aRecord(i))
    await records.close()
    expect(records.dropped()).toBe(7)
    other.close()
    database.close()
  })

  test('older than an instant are pruned, and no others', async () => {
    const database = await openDatabase(dataDir.path)
    const records = new SqliteRecords(database)
    for (let i = 0; i < 2500; i++) records.put(aRecord(i))
    await records.flush()
    expect(await records.prune(aRecord(2400).at)).toBe(2400)
    expect(await records.list({ limit: 5000 })).toHaveLength(100)
    const older = await records.list({ limit: 10, after: recordId(3) })
    expect(older[0]?.latencyMs).toBe(2400)
    await records.close()
    database.close()
  })

  test('that were acknowledged survive a kill, and the file is sound', async () => {
    const child = startChild('record-child', [dataDir.path])
    await child.said('ready')
    child.say('go')
    await until(() => child.lines.length > 20, 'records to be acknowledged')
    await child.kill()
    const durable = Number(child.lines.at(-1)?.split(' ')[1])
    const stores = await openStores({ dataDir: dataDir.path })
    const all = await stores.records.list({ limit: 1_000_000 })
    expect(durable).toBeGreaterThan(0)
    expect(all.length).toBeGreaterThanOrEqual(durable)
    // Whole and without a gap: what is lost is the end.
    expect(all.map((record) => record.latencyMs)).toEqual(
      Array.from({ length: all.length }, (_, i) => all.length - 1 - i),
    )
    await stores.close()
    const db = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    db.close()
  })
})
