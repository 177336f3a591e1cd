import { z } from 'zod'
import type { DecisionRecord } from '../record/record.ts'
import { parseDate } from './rules.ts'

/** A decision as it is shown. */
export const decisionView = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  requestId: z.string().nullable(),
  server: z.string(),
  grant: z.object({ id: z.string(), label: z.string() }),
  session: z.string().nullable(),
  client: z.object({ name: z.string(), version: z.string() }),
  protocolVersion: z.string(),
  method: z.string(),
  tool: z.string().nullable().meta({ description: 'tool, prompt name or resource URI' }),
  effect: z.enum(['allow', 'deny', 'approve']),
  rule: z.string(),
  message: z.string(),
  policy: z.string(),
  policyVersion: z.string(),
  mode: z.enum(['enforce', 'observe']),
  argumentKeys: z.array(z.string()),
  outcome: z.enum(['forwarded', 'denied', 'exhausted', 'failed']),
  code: z.string().nullable(),
  upstreamStatus: z.int().nullable(),
  latencyMs: z.number(),
  category: z.string().nullable(),
  severity: z.string().nullable(),
})

/** A decision as it is shown. */
export type DecisionView = z.infer<typeof decisionView>

/** What a listing of decisions is asked for. */
export const decisionQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^(?:[1-9]\d{0,2}|1000)$/, 'expected a number from 1 to 1000')
    .optional()
    .meta({ description: '1 to 1000, 50 when absent' }),
  cursor: z.uuid().optional().meta({ description: '`nextCursor` of the page before' }),
  server: z.string().max(128).optional().meta({ description: 'name or id' }),
  tool: z.string().max(1024).optional(),
  effect: z.enum(['allow', 'deny', 'approve']).optional(),
  grant: z.string().max(256).optional().meta({ description: 'label or id' }),
  since: z
    .string()
    .refine((text) => parseDate(text) !== undefined, {
      error: 'expected a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
    })
    .optional(),
})

/** A record as a decision to show; `isoDate` writes an instant. */
export function decisionOf(record: DecisionRecord, isoDate: (at: number) => string): DecisionView {
  return {
    id: record.id,
    at: isoDate(record.at),
    requestId: record.requestId ?? null,
    server: record.server,
    grant: { id: record.grant.id, label: record.grant.label },
    session: record.session ?? null,
    client: { name: record.client.name, version: record.client.version },
    protocolVersion: record.protocolVersion,
    method: record.method,
    tool: record.tool ?? null,
    effect: record.effect,
    rule: record.rule,
    message: record.message,
    policy: record.policy,
    policyVersion: record.policyVersion,
    mode: record.mode,
    argumentKeys: [...record.argumentKeys],
    outcome: record.outcome,
    code: record.code ?? null,
    upstreamStatus: record.upstreamStatus ?? null,
    latencyMs: record.latencyMs,
    category: record.category ?? null,
    severity: record.severity ?? null,
  }
}
