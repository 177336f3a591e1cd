/** What the embedded store costs a call, and what it costs behind the call; prints a table. */
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LimitAlgorithm } from '../src/core/policy/model.ts'
import type { Demand } from '../src/core/quota/demand.ts'
import { planDemands } from '../src/core/quota/plan.ts'
import type { DecisionRecord } from '../src/core/record/record.ts'
import { uuid7Source } from '../src/core/uuid7.ts'
import { openStores } from '../src/store/open.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const opening = performance.now()
const stores = await openStores({ dataDir })
const opened = performance.now() - opening

const results: (readonly [name: string, figure: string])[] = [
  ['open a new data directory', `${opened.toFixed(1)} ms`],
]

/** The median of several rounds, in microseconds for one. */
async function measure(
  name: string,
  count: number,
  round: (count: number) => Promise<void>,
): Promise<void> {
  await round(count)
  const times: number[] = []
  for (let i = 0; i < 7; i++) {
    const since = performance.now()
    await round(count)
    times.push(((performance.now() - since) * 1000) / count)
  }
  times.sort((a, b) => a - b)
  results.push([name, `${(times[3] ?? Number.NaN).toFixed(2)} µs`])
}

const demand = (key: string, max: number, algorithm: LimitAlgorithm = 'fixed'): Demand => ({
  key,
  algorithm,
  window: algorithm === 'concurrent' ? undefined : 'month',
  amount: 1_000_000n,
  max: BigInt(max) * 1_000_000n,
})

const calls =
  (...demands: readonly Demand[]) =>
  async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const taken = await stores.counters.reserve(demands, Date.now())
      if (taken.ok) stores.counters.settle(taken.id)
    }
  }

const subject = { grantId: 'g', sessionId: 's', server: 'srv', organisation: 'default' }
const limit = {
  counter: 'calls',
  window: 'minute',
  max: 10n,
  scope: 'grant',
  algorithm: 'fixed',
  onError: 'deny',
  message: 'over the limit',
} as const
const uses = [{ pointer: '/tools/x/limits/0', limit, amount: 1n, mode: 'enforce' }] as const

await measure('plan the demand of one limit', 100_000, async (count) => {
  for (let i = 0; i < count; i++) planDemands(uses, subject)
})
await measure('reserve + settle, one leased limit', 100_000, calls(demand('large', 1e12)))
await measure(
  'reserve + settle, three leased limits',
  50_000,
  calls(demand('a', 1e12), demand('b', 1e12), demand('c', 1e12)),
)
let rare = 0
await measure('reserve + settle, a transaction each', 5000, async (count) => {
  // A counter that is asked for once is never leased.
  for (let i = 0; i < count; i++) await calls(demand(`rare ${rare++ % 500}`, 100))(1)
})
await calls(demand('spent', 10))(11)
await measure('refuse, a spent limit', 50_000, calls(demand('spent', 10)))
await measure('reserve + settle, sliding', 5000, calls(demand('sliding', 1e9, 'sliding')))
await measure('reserve + settle, concurrent', 5000, calls(demand('slots', 5, 'concurrent')))

const newId = uuid7Source(randomFillSync)
await measure('make an id', 200_000, async (count) => {
  let length = 0
  for (let i = 0; i < count; i++) length += newId(1_800_000_000_000 + (i >> 6)).length
  if (length !== 36 * count) throw new Error('an id is not one')
})

const record = (): DecisionRecord => ({
  id: newId(Date.now()),
  at: Date.now(),
  requestId: '17',
  server: 'files',
  grant: { id: '0190b8a5-0000-7000-8000-000000000000', label: 'alice-laptop' },
  session: 'session-0123456789',
  client: { name: 'client', version: '2.1.0' },
  protocolVersion: '2025-11-25',
  method: 'tools/call',
  tool: 'read_file',
  effect: 'allow',
  rule: '',
  message: '',
  policy: 'readonly',
  policyVersion: '0123456789abcdef',
  mode: 'enforce',
  argumentKeys: ['path', 'limit'],
  outcome: 'forwarded',
  code: undefined,
  upstreamStatus: 200,
  latencyMs: 12.4,
  category: 'Read',
  severity: 'Low',
})
await measure('record: make, put and write', 20_000, async (count) => {
  for (let i = 0; i < count; i++) {
    stores.records.put(record())
    if (i % 1000 === 999) await stores.records.flush()
  }
  await stores.records.flush()
})
await measure('list 100 of the newest records', 1, async () => {
  await stores.records.list({ limit: 100 })
})
await measure('look through 160,000 records for none', 1, async () => {
  await stores.records.list({ limit: 100, server: 'nobody' })
})

await stores.close()
rmSync(dataDir, { recursive: true })
const width = Math.max(...results.map(([name]) => name.length))
for (const [name, figure] of results)
  process.stdout.write(`${name.padEnd(width)}  ${figure.padStart(12)}\n`)
