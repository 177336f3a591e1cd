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

/** A record as a row. What the columns hold is not repeated in the JSON. */
export function rowOf(record: DecisionRecord): RecordRow {
  const { id, at, server, grant, tool, effect, ...rest } = record
  const body = JSON.stringify({ label: grant.label, ...rest })
  return [id, at, server, grant.id, tool ?? null, effect, body]
}

/** A row as the record that it was made from. */
export function recordOf(row: Record<string, SQLOutputValue>): DecisionRecord {
  const { label, ...rest } = JSON.parse(String(row.body)) as Omit<
    DecisionRecord,
    'id' | 'at' | 'server' | 'grant' | 'tool' | 'effect'
  > & { readonly label: string }
  return {
    ...rest,
    id: String(row.id),
    at: Number(row.at),
    server: String(row.server),
    grant: { id: String(row.grant_id), label },
    tool: row.tool === null ? undefined : String(row.tool),
    effect: String(row.effect) as DecisionRecord['effect'],
    // JSON leaves out what is undefined.
    requestId: rest.requestId,
    session: rest.session,
    code: rest.code,
    upstreamStatus: rest.upstreamStatus,
    category: rest.category,
    severity: rest.severity,
  }
}
