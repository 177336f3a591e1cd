import type { Json } from '../core/json/json.ts'
import type { ListMethod } from '../core/mcp/list.ts'
import type { OpenServer } from './gate.ts'

/** The kinds of things whose lists may change, each with its lists. */
export const LIST_KINDS = {
  tools: ['tools/list'],
  prompts: ['prompts/list'],
  resources: ['resources/list', 'resources/templates/list'],
} as const satisfies Record<string, readonly ListMethod[]>

export type ListKind = keyof typeof LIST_KINDS

/** Every kind, in one order. */
export const ALL_KINDS = Object.keys(LIST_KINDS) as readonly ListKind[]

/** The notification that a list of this kind has changed. */
export const changeMethod = (kind: ListKind): string => `notifications/${kind}/list_changed`

/** Remembers what a server says of its own lists: what was known of a changed one is known no more. */
export function noteChange(server: OpenServer, method: Json | undefined): void {
  if (typeof method !== 'string' || !method.endsWith('/list_changed')) return
  const kind = ALL_KINDS.find((one) => changeMethod(one) === method)
  if (kind === 'tools') server.refresh.isStale = true
  else if (kind !== undefined) for (const list of LIST_KINDS[kind]) server.catalogue.forget(list)
}
