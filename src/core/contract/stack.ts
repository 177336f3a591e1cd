import { z } from 'zod'
import { wrongMember } from '../stack/names.ts'
import { ruled } from './ruled.ts'
import { MOST_MEMBERS, wrongServerName, wrongStackName } from './rules.ts'

const body = {
  servers: z
    .array(ruled(z.string(), (name) => wrongServerName(name) ?? wrongMember(name)))
    .min(1)
    .max(MOST_MEMBERS)
    .refine((names) => new Set(names).size === names.length, {
      error: 'a server stands here twice',
    })
    .meta({ description: 'its members by name, in the order of lists' }),
}

/** What may be said of a stack when it is replaced. */
export const stackPut = z.strictObject(body)
/** What may be said of a new stack. */
export const stackPost = z.strictObject({ name: ruled(z.string(), wrongStackName), ...body })

/** A stack as it is shown. */
export const stackView = z.object({
  id: z.string(),
  name: z.string(),
  servers: z.array(z.string()),
  source: z.enum(['file', 'store']),
})

/** A stack as it is shown. */
export type StackView = z.infer<typeof stackView>
/** What may be said of a stack. */
export type StackPut = z.infer<typeof stackPut>
