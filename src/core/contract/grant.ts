import { z } from 'zod'
import { ruled } from './ruled.ts'
import {
  parseDate,
  wrongGrantLabel,
  wrongPolicyName,
  wrongServerName,
  wrongStackName,
} from './rules.ts'

const date = z
  .string()
  .refine((text) => parseDate(text) !== undefined, {
    error: 'expected a date (`2027-01-31`) or a time with its zone (`2027-01-31T09:00:00Z`)',
  })
  .meta({ description: 'ISO 8601 date, or time with its zone', examples: ['2027-01-31'] })

const tags = z.record(z.string().max(128), z.json()).meta({ description: 'read by policies' })

const body = {
  server: ruled(z.string(), wrongServerName)
    .optional()
    .meta({ description: 'the one server that it opens; this or `stack`' }),
  stack: ruled(z.string(), wrongStackName)
    .optional()
    .meta({ description: 'the stack that it opens; this or `server`' }),
  policy: ruled(z.string(), wrongPolicyName)
    .optional()
    .meta({ description: 'without one, everything is denied; in a stack, for every server' }),
  policies: z
    .record(ruled(z.string(), wrongServerName), ruled(z.string(), wrongPolicyName))
    .optional()
    .meta({ description: 'of a stack: policies by server, in place of `policy`' }),
  tags: tags.optional(),
  notBefore: date.optional(),
  expires: date.optional(),
}

/** What may be said of a grant when it is replaced. */
export const grantPut = z.strictObject(body)
/** What may be said of a new grant; its token is made here, never chosen. */
export const grantPost = z.strictObject({ label: ruled(z.string(), wrongGrantLabel), ...body })

/** A grant as it is shown: never its token. */
export const grantView = z.object({
  id: z.string(),
  label: z.string(),
  server: z.string().nullable().meta({ description: 'null for a grant of a stack' }),
  stack: z.string().nullable().meta({ description: 'null for a grant of a server' }),
  policy: z.string().nullable(),
  policies: z.record(z.string(), z.string()).meta({ description: 'by server of the stack' }),
  tags: z.record(z.string(), z.json()),
  notBefore: z.string().nullable(),
  expires: z.string().nullable(),
  source: z.enum(['file', 'store']),
})

/** A new grant: its token is shown this once. */
export const grantCreated = z.object({ ...grantView.shape, token: z.string() })

/** A grant as it is shown. */
export type GrantView = z.infer<typeof grantView>
/** What may be said of a grant. */
export type GrantPut = z.infer<typeof grantPut>
