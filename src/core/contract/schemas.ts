import { z } from 'zod'
import { decisionView } from './decision.ts'
import { grantCreated, grantPost, grantPut, grantView } from './grant.ts'
import { policyPost, policyPut, policyShown, policyView, policyWritten } from './policy.ts'
import { problemDocument } from './problem.ts'
import { serverPost, serverPut, serverView } from './server.ts'
import { stackPost, stackPut, stackView } from './stack.ts'

const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'null on the last page' }),
  })

/** Every shape of the admin API that has a name, as OpenAPI shows them. */
export const schemas = {
  Problem: problemDocument,
  Decision: decisionView,
  DecisionPage: pageOf(decisionView),
  Server: serverView,
  ServerPage: pageOf(serverView),
  ServerPost: serverPost,
  ServerPut: serverPut,
  Policy: policyView,
  PolicyPage: pageOf(policyView),
  PolicyShown: policyShown,
  PolicyPost: policyPost,
  PolicyPut: policyPut,
  PolicyWritten: policyWritten,
  Stack: stackView,
  StackPage: pageOf(stackView),
  StackPost: stackPost,
  StackPut: stackPut,
  Grant: grantView,
  GrantPage: pageOf(grantView),
  GrantPost: grantPost,
  GrantPut: grantPut,
  GrantCreated: grantCreated,
} satisfies Record<string, z.ZodType>

/** The name of a shape of the admin API. */
export type SchemaName = keyof typeof schemas
