import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DataDir, makeDataDir } from '../../../test/fakes/data-dir.ts'
import { type Database, openDatabase } from './database.ts'
import { Holders } from './holders.ts'
import { Ledger } from './ledger.ts'

describe('holders of slots', () => {
  let dataDir: DataDir
  let database: Database
  let ledger: Ledger
  let now: number
  let holders: Holders
  const opened: Holders[] = []
  const open = (id: string): Holders => {
    const one = new Holders(database, id, () => now)
    opened.push(one)
    return one
  }
  beforeEach(async () => {
    now = 1000
    dataDir = makeDataDir()
    database = await openDatabase(dataDir.path)
    ledger = new Ledger(database)
    holders = open('us')
  })
  afterEach(() => {
    for (const one of opened.splice(0)) one.close()
    database.close()
    dataDir.remove()
  })

  /** Another process, as its row says. */
  const put = (row: { id: string; place?: string; pid?: number; beat?: number }): void =>
    database.transact(() => {
      const { id, place = 'another machine', pid = 1, beat = 1 } = row
      database.db
        .prepare('INSERT OR REPLACE INTO holders VALUES (?, ?, ?, ?, ?)')
        .run(id, place, pid, '', beat)
      ledger.removeSlot('k', `${id}.0`)
      ledger.putSlot({ key: 'k', id: `${id}.0`, holder: id, amount: 1n })
    })
  const reap = (): boolean => database.transact(() => holders.reap())

  test('that we can not ask after are dead when their beat has stood still for as long as we looked', () => {
    put({ id: 'other' })
    expect(reap()).toBe(false)
    now += 11_000
    expect(reap()).toBe(false)
    expect(ledger.slotsUsed('k')).toBe(1n)
    now += 1
    expect(reap()).toBe(true)
    expect(ledger.slotsUsed('k')).toBe(0n)
    expect(reap()).toBe(false)
  })

  test('that beat are alive, however long we did not look', () => {
    put({ id: 'other', beat: 1 })
    expect(reap()).toBe(false)
    now += 3_600_000
    put({ id: 'other', beat: 2 })
    expect(reap()).toBe(false)
    expect(ledger.slotsUsed('k')).toBe(1n)
  })

  test('found at the start are looked at from then on', () => {
    put({ id: 'other' })
    holders = open('later')
    now += 11_001
    expect(reap()).toBe(true)
  })

  test('of this machine whose process is gone are dead at once', () => {
    database.transact(() => holders.enter())
    const place = String(database.db.prepare('SELECT place FROM holders').get()?.place)
    // No process has a pid beyond the largest that a system gives.
    put({ id: 'gone', place, pid: 2 ** 30 })
    put({ id: 'here', place, pid: process.pid })
    expect(reap()).toBe(true)
    expect(ledger.slotsUsed('k')).toBe(1n)
  })

  test.runIf(process.platform === 'linux')(
    'of this machine whose pid now belongs to another process are dead at once',
    () => {
      database.transact(() => holders.enter())
      put({ id: 'old' })
      database.db.exec(
        `UPDATE holders SET (place, pid, started) = (SELECT place, pid, '1' FROM holders WHERE id = 'us') WHERE id = 'old'`,
      )
      expect(reap()).toBe(true)
      expect(ledger.slotsUsed('k')).toBe(0n)
    },
  )

  test('that leave free what they held', () => {
    const other = open('other')
    database.transact(() => {
      other.enter()
      ledger.putSlot({ key: 'k', id: 'other.0', holder: 'other', amount: 2n })
    })
    expect(ledger.slotsUsed('k')).toBe(2n)
    other.close()
    expect(ledger.slotsUsed('k')).toBe(0n)
  })
})
