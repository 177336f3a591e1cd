/** A process that puts records until it is killed; says `durable N` when the first N are flushed. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openStores } from '../../../src/store/open.ts'
import { aRecord } from '../records.ts'

const stores = await openStores({ dataDir: process.argv[2] ?? '' })
const stdin = createInterface({ input: process.stdin })
process.stdout.write('ready\n')
await once(stdin, 'line')
for (let n = 0; ; ) {
  for (let i = 0; i < 700; i++) stores.records.put(aRecord(n++))
  await stores.records.flush()
  process.stdout.write(`durable ${n}\n`)
}
