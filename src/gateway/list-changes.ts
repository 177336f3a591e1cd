import type { Json, JsonObject } from '../core/json/json.ts'
import { LISTED_KINDS, type ListedKind } from '../core/mcp/capabilities.ts'
import type { ListMethod } from '../core/mcp/list.ts'
import type { LoadedPolicy } from '../core/snapshot.ts'
import type { Catalogue } from './catalogue.ts'
import type { OpenServer } from './gate.ts'
import { isPage, pageOf } from './resources.ts'

/** The lists of each kind of thing. */
export const LISTS_OF = {
  tools: ['tools/list'],
  prompts: ['prompts/list'],
  resources: ['resources/list', 'resources/templates/list'],
} as const satisfies Record<ListedKind, readonly ListMethod[]>

/** The notification that a list of this kind has changed. */
export const changeMethod = (kind: ListedKind): string => `notifications/${kind}/list_changed`

/** Remembers what a server says of its own lists: what was known of a changed one is known no more. */
export function noteChange(server: OpenServer, method: Json | undefined): void {
  if (typeof method !== 'string' || !method.endsWith('/list_changed')) return
  const kind = LISTED_KINDS.find((one) => changeMethod(one) === method)
  if (kind === 'tools') server.refresh.isStale = true
  else if (kind !== undefined) for (const list of LISTS_OF[kind]) server.catalogue.forget(list)
}

/** A listed thing; without its definition it is the one that the catalogue holds. */
export interface ListedItem {
  readonly catalogue: Catalogue
  readonly method: ListMethod
  readonly name: string
  readonly definition?: JsonObject
}

/** True when a policy leaves a thing out of its list; without a policy nothing is shown. */
export function isHiddenUnder(
  loaded: LoadedPolicy | undefined,
  { catalogue, method, name, definition }: ListedItem,
): boolean {
  if (loaded === undefined) return true
  if (method === 'prompts/list') return loaded.policy.isItemHidden('prompts', name)
  if (method !== 'tools/list') {
    if (loaded.policy.isItemHidden('resources', name)) return true
    const tools = isPage(name) ? catalogue.toolsWithPage(pageOf(name) ?? name) : []
    return tools.length > 0 && tools.every((tool) => loaded.policy.isHidden(tool))
  }
  const tool =
    definition === undefined ? catalogue.describe(name) : catalogue.toolOf(name, definition)
  return loaded.policy.isHidden(tool)
}

/** True when both are the same text under the same name. */
export const isSamePolicy = (a: LoadedPolicy | undefined, b: LoadedPolicy | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.id === b.id && a.version === b.version)

/** Names a policy in its version, for what outlives this process. */
export const policyMark = (loaded: LoadedPolicy | undefined): string | undefined =>
  loaded === undefined ? undefined : JSON.stringify([loaded.id, loaded.version])

/** True when a caller sees something else of a list under one policy than under the other. */
export function isChanged(
  catalogue: Catalogue,
  method: ListMethod,
  [before, after]: readonly [LoadedPolicy | undefined, LoadedPolicy | undefined],
): boolean {
  const names = catalogue.listed(method) ?? []
  return names.some((name) => {
    const item = { catalogue, method, name }
    return isHiddenUnder(before, item) !== isHiddenUnder(after, item)
  })
}
