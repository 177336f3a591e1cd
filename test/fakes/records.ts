import type { DecisionRecord } from '../../src/core/record/record.ts'
import { uuid7 } from '../../src/core/uuid7.ts'

/** The id of the `n`th record; they sort by `n`. */
export const recordId = (n: number): string => uuid7(1_000_000_000 + n, new Uint8Array(10))

/** The `n`th record, which has `n` for its latency. */
export const aRecord = (n: number, more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  id: recordId(n),
  at: 1_000_000_000 + n,
  requestId: undefined,
  server: 'files',
  grant: { id: 'g1', label: 'first' },
  session: undefined,
  client: { name: 'client', version: '1' },
  protocolVersion: '2025-11-25',
  method: 'tools/call',
  tool: undefined,
  effect: 'allow',
  rule: '',
  message: '',
  policy: 'p',
  policyVersion: '1',
  mode: 'enforce',
  argumentKeys: [],
  outcome: 'forwarded',
  code: undefined,
  upstreamStatus: undefined,
  latencyMs: n,
  category: undefined,
  severity: undefined,
  ...more,
})
