import type { Route } from '../route.ts'
import { decisions } from './decisions.ts'
import { grants } from './grants.ts'
import { policies } from './policies.ts'
import { servers } from './servers.ts'
import { stacks } from './stacks.ts'

/** Every operation of the admin API. The router and the OpenAPI document are made from this list. */
export const routes: readonly Route[] = [
  ...decisions,
  ...servers,
  ...policies,
  ...stacks,
  ...grants,
]
