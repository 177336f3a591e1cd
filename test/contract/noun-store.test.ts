import { randomFillSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { uuid7Source } from '../../src/core/uuid7.ts'
import { MemoryNouns } from '../../src/store/memory/nouns.ts'
import { openStores } from '../../src/store/open.ts'
import { makeDataDir } from '../fakes/data-dir.ts'
import { aRecord } from '../fakes/records.ts'
import { describeNounStore } from './noun-store.ts'

describeNounStore('in memory', async () => ({
  nouns: new MemoryNouns(uuid7Source(randomFillSync)),
  close: async () => undefined,
}))

describeNounStore('in SQLite', async () => {
  const dataDir = makeDataDir()
  const stores = await openStores({ dataDir: dataDir.path })
  return {
    nouns: stores.nouns,
    async close() {
      await stores.close()
      dataDir.remove()
    },
  }
})

test('the revision tells of the changes of another process, and not of its calls', async () => {
  const dataDir = makeDataDir()
  const one = await openStores({ dataDir: dataDir.path })
  const other = await openStores({ dataDir: dataDir.path })
  const before = one.nouns.revision()
  other.records.put(aRecord(1))
  await other.records.flush()
  expect(one.nouns.revision()).toBe(before)
  const put = await other.nouns.put({ kind: 'grant', name: 'x', document: '{}', at: 1 })
  expect(one.nouns.revision()).not.toBe(before)
  expect(await one.nouns.list()).toEqual([put])
  await one.close()
  await other.close()
  dataDir.remove()
})
