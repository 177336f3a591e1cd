import type { RecordQuery } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'

/** Records that are written together, as one row of `record_batches` without its number. */
export interface RecordBatch {
  /** The least and the greatest id. */
  readonly firstId: string
  readonly lastId: string
  readonly earliest: number
  readonly latest: number
  readonly count: number
  readonly terms: string
  readonly body: string
}

/**
 * What many records of one batch have in common, in the order of its JSON. INVARIANT: places are never
 * reused; what is new comes at the end.
 */
type Kind = readonly [
  server: string,
  grantId: string,
  label: string,
  session: string | null,
  clientName: string,
  clientVersion: string,
  protocolVersion: string,
  method: string,
  tool: string | null,
  effect: DecisionRecord['effect'],
  rule: string,
  message: string,
  policy: string,
  policyVersion: string,
  mode: DecisionRecord['mode'],
  argumentKeys: readonly string[],
  outcome: DecisionRecord['outcome'],
  code: string | null,
  upstreamStatus: number | null,
  category: string | null,
  severity: string | null,
]

/** What is each record's own: the place of its kind comes first. The same invariant. */
type Own = readonly [
  kind: number,
  id: string,
  at: number,
  requestId: string | null,
  latencyMs: number,
]

interface Body {
  readonly kinds: readonly Kind[]
  readonly records: readonly Own[]
}

const kindOf = (record: DecisionRecord): Kind => [
  record.server,
  record.grant.id,
  record.grant.label,
  record.session ?? null,
  record.client.name,
  record.client.version,
  record.protocolVersion,
  record.method,
  record.tool ?? null,
  record.effect,
  record.rule,
  record.message,
  record.policy,
  record.policyVersion,
  record.mode,
  record.argumentKeys,
  record.outcome,
  record.code ?? null,
  record.upstreamStatus ?? null,
  record.category ?? null,
  record.severity ?? null,
]

const haveSameKeys = (a: readonly string[], b: readonly string[]): boolean => {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** True for records that differ in nothing but what is each one's own. */
const areAlike = (a: DecisionRecord, b: DecisionRecord): boolean =>
  a.tool === b.tool &&
  a.effect === b.effect &&
  a.rule === b.rule &&
  a.grant.id === b.grant.id &&
  a.session === b.session &&
  a.method === b.method &&
  a.server === b.server &&
  a.outcome === b.outcome &&
  a.code === b.code &&
  a.upstreamStatus === b.upstreamStatus &&
  a.message === b.message &&
  a.mode === b.mode &&
  a.policyVersion === b.policyVersion &&
  a.policy === b.policy &&
  a.grant.label === b.grant.label &&
  a.client.name === b.client.name &&
  a.client.version === b.client.version &&
  a.protocolVersion === b.protocolVersion &&
  a.category === b.category &&
  a.severity === b.severity &&
  haveSameKeys(a.argumentKeys, b.argumentKeys)

/** How many kinds back a like one is looked for: agents call a few tools again and again. */
const LOOK_BACK = 8

/** Records, at least one, as a batch. */
export function encodeBatch(records: readonly DecisionRecord[]): RecordBatch {
  const [first] = records
  if (first === undefined) throw new RangeError('a batch has at least one record')
  const models: DecisionRecord[] = []
  const owns: Own[] = []
  let { id: firstId, id: lastId, at: earliest, at: latest } = first
  for (const record of records) {
    const { id, at } = record
    if (id < firstId) firstId = id
    else if (id > lastId) lastId = id
    if (at < earliest) earliest = at
    else if (at > latest) latest = at
    let kind = models.length - 1
    const least = Math.max(0, models.length - LOOK_BACK)
    while (kind >= least && !areAlike(models[kind] as DecisionRecord, record)) kind--
    if (kind < least) kind = models.push(record) - 1
    owns.push([kind, id, at, record.requestId ?? null, record.latencyMs])
  }
  return {
    firstId,
    lastId,
    earliest,
    latest,
    count: records.length,
    terms: JSON.stringify([...new Set(models.flatMap(termsOf))]),
    body: JSON.stringify({ kinds: models.map(kindOf), records: owns } satisfies Body),
  }
}

const termsOf = ({ server, tool, effect, grant }: DecisionRecord): readonly string[] => [
  `s${server}`,
  `t${tool ?? ''}`,
  `e${effect}`,
  `g${grant.id}`,
]

/** What the terms of a batch hold if it has records that the query asks for. */
export const wantedTerms = ({ server, tool, effect, grant }: RecordQuery): readonly string[] =>
  [
    server === undefined ? [] : [`s${server}`],
    tool === undefined ? [] : [`t${tool}`],
    effect === undefined ? [] : [`e${effect}`],
    grant === undefined ? [] : [`g${grant}`],
  ].flatMap((terms) => terms.map((term) => JSON.stringify(term)))

/** The records of a batch, in the order in which they were put. */
export function decodeBatch(text: string): readonly DecisionRecord[] {
  const { kinds, records } = JSON.parse(text) as Body
  return records.map(([kind, id, at, requestId, latencyMs]) => ({
    id,
    at,
    requestId: requestId ?? undefined,
    latencyMs,
    ...commonOf(kinds[kind] as Kind),
  }))
}

const commonOf = (kind: Kind): Omit<DecisionRecord, 'id' | 'at' | 'requestId' | 'latencyMs'> => ({
  server: kind[0],
  grant: { id: kind[1], label: kind[2] },
  session: kind[3] ?? undefined,
  client: { name: kind[4], version: kind[5] },
  protocolVersion: kind[6],
  method: kind[7],
  tool: kind[8] ?? undefined,
  effect: kind[9],
  rule: kind[10],
  message: kind[11],
  policy: kind[12],
  policyVersion: kind[13],
  mode: kind[14],
  argumentKeys: kind[15],
  outcome: kind[16],
  code: kind[17] ?? undefined,
  upstreamStatus: kind[18] ?? undefined,
  category: kind[19] ?? undefined,
  severity: kind[20] ?? undefined,
})
