import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { capturedIo } from '../../../test/fakes/captured-io.ts'
import { until } from '../../../test/fakes/until.ts'
import type { DecisionRecord } from '../../core/record/record.ts'
import { uuid7 } from '../../core/uuid7.ts'
import { openStores, type Stores } from '../../store/open.ts'
import { decisionLine } from '../decision-line.ts'
import { follow } from '../follow.ts'
import { painter } from '../paint.ts'
import { run } from '../run.ts'

const start = Date.UTC(2026, 10, 1)
const record = (n: number, more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  id: uuid7(start + n * 1000, new Uint8Array(10).fill(n)),
  at: start + n * 1000,
  requestId: String(n),
  server: 'stripe',
  grant: { id: 'g', label: 'alice' },
  session: undefined,
  client: { name: 'c', version: '1' },
  protocolVersion: '2025-11-25',
  method: 'tools/call',
  tool: `tool-${n}`,
  effect: 'allow',
  rule: '',
  message: '',
  policy: 'p',
  policyVersion: 'v',
  mode: 'enforce',
  argumentKeys: ['amount'],
  outcome: 'forwarded',
  code: undefined,
  upstreamStatus: 200,
  latencyMs: 1.4,
  category: 'Read',
  severity: 'Low',
  ...more,
})

let dataDir: string
let stores: Stores
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sallyport-log-'))
  stores = await openStores({ dataDir })
})
afterEach(async () => {
  await stores.close()
  rmSync(dataDir, { recursive: true })
})

async function ran(...argv: string[]) {
  const io = capturedIo({ now: () => start + 100_000 })
  const code = await run(['log', '--data-dir', dataDir, ...argv], io)
  return { code, err: io.err(), lines: io.out().split('\n').slice(0, -1) }
}

describe('log', () => {
  test('shows the newest fifty, oldest first, while another process has the store open', async () => {
    for (let n = 1; n <= 60; n++) stores.records.put(record(n))
    await stores.records.flush()
    const { code, lines } = await ran()
    expect(code).toBe(0)
    expect(lines).toHaveLength(50)
    expect(lines[0]).toContain('tool-11')
    expect(lines.at(-1)).toContain('tool-60')
  })
  test('shows all since a time, filtered', async () => {
    for (let n = 1; n <= 90; n++)
      stores.records.put(
        record(
          n,
          n % 30 === 0 ? { effect: 'deny', outcome: 'denied', rule: '(default deny)' } : {},
        ),
      )
    await stores.records.flush()
    expect((await ran('--since', '80s')).lines).toHaveLength(71)
    expect((await ran('--since', '2026-11-01')).lines).toHaveLength(90)
    expect((await ran('--since', '1h', '--effect', 'deny')).lines).toHaveLength(3)
    expect((await ran('--tool', 'tool-7')).lines).toHaveLength(1)
    expect((await ran('--server', 'other')).err).toBe('no decisions\n')
  })
  test('prints JSON lines with the fields of the API', async () => {
    stores.records.put(record(1))
    await stores.records.flush()
    const { lines } = await ran('--json')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      at: '2026-11-01T00:00:01.000Z',
      tool: 'tool-1',
      argumentKeys: ['amount'],
      session: null,
    })
  })
})

test('following shows each record once, also one that arrives after a newer one', async () => {
  const shown: string[] = []
  const end = new AbortController()
  stores.records.put(record(1))
  await stores.records.flush()
  const before = await stores.records.list({ limit: 10 })
  const following = follow({
    records: stores.records,
    filter: { server: 'stripe' },
    shown: before,
    show: (r) => shown.push(r.tool ?? ''),
    signal: end.signal,
  })
  stores.records.put(record(3))
  stores.records.put(record(4, { server: 'other' }))
  await until(() => shown.includes('tool-3'), 'the newer record')
  stores.records.put(record(2))
  await until(() => shown.includes('tool-2'), 'the older record')
  end.abort()
  await following
  expect(shown).toEqual(['tool-3', 'tool-2'])
})

describe('a line', () => {
  const plain = painter(false)
  test('has aligned columns', () => {
    const at = (line: string, text: string): number => line.indexOf(text)
    const one = decisionLine(record(1), plain)
    const two = decisionLine(
      record(2, {
        server: 's',
        tool: 't'.repeat(40),
        effect: 'deny',
        outcome: 'denied',
        rule: '/tools/x',
        message: 'no',
      }),
      plain,
    )
    expect(at(two, 'alice')).toBe(at(one, 'alice'))
    expect(two).toContain('…')
    expect(two).toMatch(/ deny .* \/tools\/x {2}no$/)
  })
  test.each<[Partial<DecisionRecord>, string]>([
    [{ outcome: 'failed', code: 'upstream_timeout' }, 'failed'],
    [{ outcome: 'exhausted', effect: 'deny' }, 'limit'],
    [{ outcome: 'forwarded', effect: 'deny', mode: 'observe' }, '(deny)'],
    [{ outcome: 'denied', effect: 'approve' }, 'approve'],
    [{ tool: undefined, method: 'tools/list' }, '(tools/list)'],
  ])('of %j says %s', (more, word) => {
    expect(decisionLine(record(1, more), plain)).toContain(` ${word} `)
  })
  test('can not be forged by a name that an agent chose', () => {
    const line = decisionLine(record(1, { tool: 'a\n\u001b[2J\u202e', message: 'x\r\ny' }), plain)
    expect(line).toMatch(/^[\x20-\x7e…]+$/)
  })
})
