import { z } from 'zod'
import { ruled } from './ruled.ts'
import { wrongPolicyName } from './rules.ts'

const document = z
  .record(z.string(), z.unknown())
  .meta({ description: 'a policy document; `sallyport policy schema` prints its schema' })

/** A policy document, as it is put. */
export const policyPut = document
/** A new policy. */
export const policyPost = z.strictObject({ name: ruled(z.string(), wrongPolicyName), document })

/** A policy as it is listed. */
export const policyView = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  source: z.enum(['file', 'store']),
})

/** A policy with its document; a file's document stays in the file. */
export const policyShown = z.object({
  ...policyView.shape,
  document: z.record(z.string(), z.unknown()).nullable(),
})

/** What putting a policy answers: it is in force, with what is odd about it. */
export const policyWritten = z.object({
  ...policyView.shape,
  warnings: z.array(z.object({ pointer: z.string(), message: z.string() })),
})

/** A policy as it is listed. */
export type PolicyView = z.infer<typeof policyView>
