import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startChild } from '../../test/fakes/child.ts'
import { type DataDir, makeDataDir } from '../../test/fakes/data-dir.ts'
import { aRecord } from '../../test/fakes/records.ts'
import { migrations } from './migrations/index.ts'
import { openStores } from './open.ts'
import { openDatabase } from './sqlite/database.ts'
import { SqliteRecords } from './sqlite/records.ts'
import { asStoreError, StoreError } from './store-error.ts'

let dataDir: DataDir
let file: string
beforeEach(() => {
  dataDir = makeDataDir()
  file = join(dataDir.path, 'sallyport.db')
})
afterEach(() => dataDir.remove())

/** The message of the error that opening ends in; fails when it is no `StoreError` of one line. */
async function refusal(path = dataDir.path): Promise<string> {
  const error = await openStores({ dataDir: path }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StoreError)
  const { message } = error as StoreError
  expect(message).not.toContain('\n')
  return message
}

describe('opening the stores', () => {
  test('makes the data directory and its file for their owner alone', async () => {
    const path = join(dataDir.path, 'a', 'b')
    const stores = await openStores({ dataDir: path })
    stores.records.put(aRecord(1))
    await stores.records.flush()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    const files = readdirSync(path)
    expect(files).toContain('sallyport.db-wal')
    for (const name of files) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
    await stores.close()
  })

  test('works for processes that open a new data directory at the same time', async () => {
    const children = Array.from({ length: 6 }, () => startChild('open-child', [dataDir.path]))
    for (const child of children) expect(await child.said('')).toMatch(/^opened/)
    await Promise.all(children.map((child) => child.ended()))
  })

  test('records the version of the file', async () => {
    await (await openStores({ dataDir: dataDir.path })).close()
    const db = new DatabaseSync(file)
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length })
    db.close()
  })

  test('keeps the records of a file of the first version', async () => {
    const old = new DatabaseSync(file)
    old.exec(migrations[0] ?? '')
    old.exec('PRAGMA user_version = 1; PRAGMA application_id = 0x53505254')
    const insert = old.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    const body = (n: number, more: readonly unknown[]) =>
      JSON.stringify(['"7"', 'first', ...more, 'allowed', null, 200, n, 'Read', null])
    const rest = ['client', '1', '2025-11-25', 'tools/call', '/x', 'why', 'p', '1', 'enforce']
    const { id, at } = aRecord(1)
    insert.run(
      1,
      id,
      at,
      'files',
      'g1',
      'read',
      'allow',
      body(1, ['s-1', ...rest, ['path', 'a"b']]),
    )
    insert.run(2, aRecord(2).id, at, 'files', 'g1', null, 'deny', body(2, [null, ...rest, []]))
    old.close()
    const stores = await openStores({ dataDir: dataDir.path })
    const common = { requestId: '"7"', at, rule: '/x', message: 'why', outcome: 'allowed' }
    const more = { ...common, upstreamStatus: 200, category: 'Read' } as object
    expect(await stores.records.list({ limit: 10 })).toEqual([
      aRecord(2, { ...more, effect: 'deny' }),
      aRecord(1, { ...more, session: 's-1', tool: 'read', argumentKeys: ['path', 'a"b'] }),
    ])
    expect(await stores.records.list({ limit: 10, tool: 'read' })).toHaveLength(1)
    await stores.close()
  })

  test('refuses a file of a newer version', async () => {
    await (await openStores({ dataDir: dataDir.path })).close()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(await refusal()).toMatch(/sallyport\.db` was written by a newer Sallyport \(schema 99/)
  })

  test('refuses the database of another program, and leaves it as it was', async () => {
    const db = new DatabaseSync(file)
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    expect(await refusal()).toMatch(/belongs to another program; choose another data directory/)
    const again = new DatabaseSync(file)
    expect(again.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'theirs' }])
    again.close()
  })

  test('refuses a file that is no database', async () => {
    writeFileSync(file, 'not a database, but longer than its header would be'.repeat(100))
    expect(await refusal()).toMatch(/is no SQLite database; move it away/)
  })

  test('refuses a file that was cut off', async () => {
    const stores = await openStores({ dataDir: dataDir.path })
    for (let i = 0; i < 500; i++) stores.records.put(aRecord(i))
    await stores.close()
    truncateSync(file, 5000)
    expect(await refusal()).toMatch(/is corrupt; restore it from a backup, or move it away/)
  })

  test('refuses a directory in place of the file', async () => {
    mkdirSync(file)
    expect(await refusal()).toMatch(/sallyport\.db` is a directory where a file is expected; move/)
  })

  test('refuses a file in place of the directory', async () => {
    const path = join(dataDir.path, 'taken')
    writeFileSync(path, '')
    expect(await refusal(path)).toMatch(/taken` is a file where a directory is expected; choose/)
    expect(await refusal(join(path, 'below'))).toMatch(/has a file in its path.*; choose/)
  })

  test.each(['new', 'used'])('refuses a %s data directory that may only be read', async (kind) => {
    if (kind === 'used') {
      await (await openStores({ dataDir: dataDir.path })).close()
      writeFileSync(join(dataDir.path, 'key'), 'k'.repeat(32))
      for (const name of readdirSync(dataDir.path)) chmodSync(join(dataDir.path, name), 0o444)
    }
    chmodSync(dataDir.path, 0o555)
    // Root may write anywhere, so that as root the child is made to be somebody else.
    const nobody = process.getuid?.() === 0 ? ['65534'] : []
    const child = startChild('open-child', [dataDir.path, ...nobody])
    const said = await child.said('')
    expect(said).toMatch(
      /^StoreError: `.*(key|sallyport\.db)` can not be written to; make it writable/,
    )
    await child.ended()
    chmodSync(dataDir.path, 0o755)
  })

  test('says which stores there are when it does not know the one asked for', async () => {
    const opening = openStores({ url: 'mysql://host/db' })
    await expect(opening).rejects.toThrow(
      'unknown store `mysql`; this version has `sqlite` and `memory`',
    )
    await expect(openStores({ url: 'constructor' })).rejects.toThrow(StoreError)
    await expect(openStores({})).rejects.toThrow(/needs a data directory/)
  })

  test('in memory needs no directory', async () => {
    const stores = await openStores({ url: 'memory' })
    stores.records.put(aRecord(1))
    expect(await stores.records.list({ limit: 1 })).toEqual([aRecord(1)])
    await stores.close()
    expect(existsSync(file)).toBe(false)
  })

  test('can be undone twice', async () => {
    const stores = await openStores({ dataDir: dataDir.path })
    await stores.close()
    await stores.close()
  })
})

describe('a full disk', () => {
  test('is said with its mend, and what can be written later is', async () => {
    const database = await openDatabase(dataDir.path)
    const records = new SqliteRecords(database)
    // SQLite reports its own bound on pages as it does a full disk.
    database.db.exec('PRAGMA max_page_count = 30')
    for (let i = 0; i < 2000; i++) records.put(aRecord(i))
    await expect(records.flush()).rejects.toThrow(/can not grow: the disk is full; free some space/)
    database.db.exec('PRAGMA max_page_count = 1000000')
    await records.flush()
    expect(await records.list({ limit: 5000 })).toHaveLength(2000)
    await records.close()
    database.close()
  })
})

describe('asStoreError', () => {
  test('keeps a StoreError, and says one line of anything else', () => {
    const known = new StoreError('known')
    expect(asStoreError(known, '/x')).toBe(known)
    expect(asStoreError(new Error('first\nsecond'), '/x').message).toBe('`/x` failed: first')
    expect(asStoreError('odd', '/x').message).toBe('`/x` failed: unknown reason')
    expect(asStoreError({ code: 'ENOSPC' }, '/x').message).toMatch(/disk is full/)
  })
})
