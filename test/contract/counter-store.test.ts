import { MemoryCounters } from '../../src/store/memory/counters.ts'
import { openStores } from '../../src/store/open.ts'
import { makeDataDir } from '../fakes/data-dir.ts'
import { describeCounterStore } from './counter-store.ts'

describeCounterStore('in memory', async () => ({
  counters: new MemoryCounters(),
  close: async () => undefined,
}))

describeCounterStore('in SQLite', async () => {
  const dataDir = makeDataDir()
  const stores = await openStores({ dataDir: dataDir.path })
  return {
    counters: stores.counters,
    async close() {
      await stores.close()
      dataDir.remove()
    },
  }
})
