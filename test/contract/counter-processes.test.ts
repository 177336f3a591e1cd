/** Counters that several processes share, and that outlive them. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Demand } from '../../src/core/quota/demand.ts'
import { openStores } from '../../src/store/open.ts'
import { startChild } from '../fakes/child.ts'
import { type DataDir, makeDataDir } from '../fakes/data-dir.ts'

const T0 = Date.parse('2026-11-23T00:00:00Z')
const demand = (max: number, more: Partial<Demand> = {}): Demand => ({
  key: 'shared',
  algorithm: 'fixed',
  window: 'hour',
  amount: 1n,
  max: BigInt(max),
  ...more,
})

let dataDir: DataDir
beforeEach(() => {
  dataDir = makeDataDir()
})
afterEach(() => dataDir.remove())

const start = (task: string, calls: number, max: number) =>
  startChild('counter-child', [dataDir.path, task, String(calls), String(max), String(T0)])

/** Eight processes at once; gives how many calls were granted in all. */
async function grantedByEight(task: string, calls: number, max: number): Promise<number> {
  const children = Array.from({ length: 8 }, () => start(task, calls, max))
  await Promise.all(children.map((child) => child.said('ready')))
  for (const child of children) child.say('go')
  const said = await Promise.all(children.map((child) => child.said('granted')))
  await Promise.all(children.map((child) => child.ended()))
  return said.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
}

describe('eight processes on one data directory', () => {
  test.each([
    ['parallel', 2500, 1000],
    ['parallel', 5000, 30_000],
    ['parallel', 300, 100_000],
    ['sliding', 300, 1000],
  ] as const)(
    '%s: of 8 × %i calls under a max of %i exactly the smaller number is granted',
    async (task, calls, max) => {
      expect(await grantedByEight(task, calls, max)).toBe(Math.min(8 * calls, max))
      const stores = await openStores({ dataDir: dataDir.path })
      const algorithm = task === 'sliding' ? 'sliding' : 'fixed'
      const used = await stores.counters.peek([demand(max, { algorithm })], T0)
      expect(used).toEqual([BigInt(Math.min(8 * calls, max))])
      await stores.close()
    },
  )
})

describe('a process that calls no more', () => {
  test('gives back what it leased to those that wait for it, so that all of the limit is granted', async () => {
    const quiet = await openStores({ dataDir: dataDir.path })
    const busy = await openStores({ dataDir: dataDir.path })
    for (let i = 0; i < 300; i++) await quiet.counters.reserve([demand(4000)], T0)
    // The busy one sees what the other leased as used.
    const [seen = 0n] = await busy.counters.peek([demand(4000)], T0)
    expect(seen).toBeGreaterThan(300n)
    const calls = Array.from({ length: 5000 }, () => busy.counters.reserve([demand(4000)], T0))
    const all = await Promise.all(calls)
    expect(all.filter((taken) => taken.ok)).toHaveLength(3700)
    await quiet.close()
    await busy.close()
  })
})

describe('a process that is killed', () => {
  test('loses no reservation that was acknowledged', async () => {
    const child = start('count', 1_000_000, 10_000_000)
    await child.said('ready')
    child.say('go')
    await child.said('taken')
    await new Promise((resolve) => setImmediate(resolve))
    await child.kill()
    const acknowledged = child.lines.filter((line) => line === 'taken').length
    const stores = await openStores({ dataDir: dataDir.path })
    const [used = 0n] = await stores.counters.peek([demand(10_000_000)], T0)
    expect(acknowledged).toBeGreaterThan(0)
    expect(used).toBeGreaterThanOrEqual(BigInt(acknowledged))
    await stores.close()
    const db = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    db.close()
  })

  test('frees its slots at once for the processes of the same machine', async () => {
    const child = start('slots', 3, 3)
    await child.said('ready')
    child.say('go')
    await child.said('done')
    const stores = await openStores({ dataDir: dataDir.path })
    const slot = demand(3, { algorithm: 'concurrent', window: undefined })
    expect(await stores.counters.reserve([slot], T0)).toMatchObject({ ok: false, used: 3n })
    await child.kill()
    expect(await stores.counters.reserve([slot], T0)).toMatchObject({ ok: true })
    await stores.close()
  })

  test('delays the refusals of others by its lease once, and not again', async () => {
    const stores = await openStores({ dataDir: dataDir.path })
    const all = demand(10)
    await stores.counters.reserve([{ ...all, amount: 10n }], T0)
    const db = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    db.prepare('INSERT INTO leases VALUES (?, ?, ?, ?, ?)').run('shared', T0, 'gone', 1, T0 + 1e7)
    db.close()
    const since = performance.now()
    expect(await stores.counters.reserve([all], T0)).toMatchObject({ ok: false, used: 10n })
    expect(performance.now() - since).toBeGreaterThan(300)
    const then = performance.now()
    expect(await stores.counters.reserve([all], T0)).toMatchObject({ ok: false, used: 10n })
    expect(performance.now() - then).toBeLessThan(200)
    await stores.close()
  })
})

describe('counters', () => {
  test.each(['fixed', 'sliding'] as const)(
    'of a %s window outlive a restart, also with the clock set back',
    async (algorithm) => {
      const minute = demand(3, { algorithm, window: 'minute', amount: 3n })
      const first = await openStores({ dataDir: dataDir.path })
      expect(await first.counters.reserve([minute], T0 + 30_000)).toMatchObject({ ok: true })
      await first.close()
      const second = await openStores({ dataDir: dataDir.path })
      expect(await second.counters.reserve([minute], T0 + 5000)).toMatchObject({ ok: false })
      expect(await second.counters.reserve([minute], T0 + 31_000)).toMatchObject({ ok: false })
      await second.close()
    },
  )

  test('of a closed store are held by nobody', async () => {
    const first = await openStores({ dataDir: dataDir.path })
    for (let i = 0; i < 3000; i++) await first.counters.reserve([demand(100_000)], T0)
    const slot = demand(1, { key: 'slot', algorithm: 'concurrent', window: undefined })
    await first.counters.reserve([slot], T0)
    await first.close()
    const second = await openStores({ dataDir: dataDir.path })
    expect(await second.counters.peek([demand(100_000), slot], T0)).toEqual([3000n, 0n])
    await second.close()
  })

  test('that can not be reached make a reservation reject in one line, and work again afterwards', async () => {
    const stores = await openStores({ dataDir: dataDir.path })
    const other = new DatabaseSync(join(dataDir.path, 'sallyport.db'))
    other.exec('BEGIN IMMEDIATE')
    await expect(stores.counters.reserve([demand(5)], T0)).rejects.toThrow(
      /locked.*another process/,
    )
    other.exec('ROLLBACK')
    other.close()
    expect(await stores.counters.reserve([demand(5)], T0)).toMatchObject({ remaining: [4n] })
    await stores.close()
  })
})
