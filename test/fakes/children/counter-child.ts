/**
 * A process that draws on counters of a shared data directory. It says `ready`, waits for a line on
 * stdin, does what it was told as fast as it can, and says how it went.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Demand } from '../../../src/core/quota/demand.ts'
import { openStores } from '../../../src/store/open.ts'

const [dataDir = '', task = '', calls = '0', max = '0', at = '0'] = process.argv.slice(2)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const demand: Demand = {
  key: 'shared',
  algorithm: task === 'slots' ? 'concurrent' : task === 'sliding' ? 'sliding' : 'fixed',
  window: task === 'slots' ? undefined : 'hour',
  amount: 1n,
  max: BigInt(max),
}

const stores = await openStores({ dataDir })
const stdin = createInterface({ input: process.stdin })
say('ready')
await once(stdin, 'line')
const reserve = () => stores.counters.reserve([demand], Number(at))

if (task === 'parallel' || task === 'sliding') {
  // In waves, as calls come: some of them given back.
  let granted = 0
  let left = Number(calls)
  while (left > 0) {
    const wave = Math.min(left, 100)
    left -= wave
    const all = await Promise.all(Array.from({ length: wave }, reserve))
    for (const taken of all) {
      if (!taken.ok) continue
      granted += 1
      stores.counters.settle(taken.id)
    }
  }
  say(`granted ${granted}`)
  await stores.close()
  process.exit(0)
}

// Goes on until it is killed; every line is an acknowledged reservation.
for (let i = 0; i < Number(calls); i++) {
  const taken = await reserve()
  if (taken.ok) say('taken')
  if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
}
say('done')
setInterval(() => undefined, 1000)
