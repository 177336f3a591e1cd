import type { SQLOutputValue } from 'node:sqlite'
import type { DecisionRecord } from '../../core/record/record.ts'

/** A row of `records` but its sequence number: what is filtered by, and the rest as JSON. */
export type RecordRow = readonly [
  id: string,
  at: number,
  server: string,
  grantId: string,
  tool: string | null,
  effect: string,
  body: string,
]

/**
 * The rest of a record in the order of its JSON. A list is written in half the time of an object and
 * takes half the room. INVARIANT: places are never reused; what is new comes at the end.
 */
type Body = readonly [
  requestId: string | null,
  label: string,
  session: string | null,
  clientName: string,
  clientVersion: string,
  protocolVersion: string,
  method: string,
  rule: string,
  message: string,
  policy: string,
  policyVersion: string,
  mode: DecisionRecord['mode'],
  argumentKeys: readonly string[],
  outcome: DecisionRecord['outcome'],
  code: string | null,
  upstreamStatus: number | null,
  latencyMs: number,
  category: string | null,
  severity: string | null,
]

/** A record as a row. */
export function rowOf(record: DecisionRecord): RecordRow {
  const body: Body = [
    record.requestId ?? null,
    record.grant.label,
    record.session ?? null,
    record.client.name,
    record.client.version,
    record.protocolVersion,
    record.method,
    record.rule,
    record.message,
    record.policy,
    record.policyVersion,
    record.mode,
    record.argumentKeys,
    record.outcome,
    record.code ?? null,
    record.upstreamStatus ?? null,
    record.latencyMs,
    record.category ?? null,
    record.severity ?? null,
  ]
  return [
    record.id,
    record.at,
    record.server,
    record.grant.id,
    record.tool ?? null,
    record.effect,
    JSON.stringify(body),
  ]
}

/** A row as the record that it was made from. */
export function recordOf(row: Record<string, SQLOutputValue>): DecisionRecord {
  const body = JSON.parse(String(row.body)) as Body
  return {
    id: String(row.id),
    at: Number(row.at),
    requestId: body[0] ?? undefined,
    server: String(row.server),
    grant: { id: String(row.grant_id), label: body[1] },
    session: body[2] ?? undefined,
    client: { name: body[3], version: body[4] },
    protocolVersion: body[5],
    method: body[6],
    tool: row.tool === null ? undefined : String(row.tool),
    effect: row.effect as DecisionRecord['effect'],
    rule: body[7],
    message: body[8],
    policy: body[9],
    policyVersion: body[10],
    mode: body[11],
    argumentKeys: body[12],
    outcome: body[13],
    code: body[14] ?? undefined,
    upstreamStatus: body[15] ?? undefined,
    latencyMs: body[16],
    category: body[17] ?? undefined,
    severity: body[18] ?? undefined,
  }
}
