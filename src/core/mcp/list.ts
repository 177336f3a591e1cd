import { fold } from '../fold.ts'
import { applyEdits, type Edit, removing, replacing, replacingAll } from '../json/edit.ts'
import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { type JsonNode, nodeOf, parseNodes, toValue } from '../json/parse.ts'
import { cacheEdits } from './caching.ts'
import type { FrameId } from './frame-model.ts'

/** Methods whose results list things that a policy may hide, and the member that holds them. */
export const LISTS = {
  'tools/list': { member: 'tools', key: 'name' },
  'prompts/list': { member: 'prompts', key: 'name' },
  'resources/list': { member: 'resources', key: 'uri' },
  'resources/templates/list': { member: 'resourceTemplates', key: 'uriTemplate' },
} as const

export type ListMethod = keyof typeof LISTS

/** True for the methods of {@link LISTS}. */
export const isListMethod = (method: string): method is ListMethod => Object.hasOwn(LISTS, method)

/** How a page goes on to one reader. */
export interface ListRewrite {
  isHidden(item: JsonObject): boolean
  /** The cursor that goes on in place of the server's; undefined ends the list with this page. */
  readonly cursor: string | undefined
  /** How long it may be kept, at most; undefined in the era without caching. */
  readonly maxTtlMs: number | undefined
  /** The id of the request that it answers, where the server was asked under another. */
  readonly id: FrameId | undefined
}

/** One page of a list as a server gave it. */
export interface ListPage {
  readonly items: readonly JsonObject[]
  /** Where the next page begins; undefined on the last one. The empty string is a cursor. */
  readonly nextCursor: string | undefined
  /** The page for one reader: what stays is as it came, byte for byte. */
  rewrite(how: ListRewrite): { readonly text: string; readonly shown: number }
}

/**
 * Reads the answer to a list request. `none`: it holds no list, as an error does. Undefined: it is not
 * JSON, or could be read in two ways.
 */
export function readList(text: string, method: ListMethod): ListPage | 'none' | undefined {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  const result = nodeOf(root, 'result')
  const list = nodeOf(result, LISTS[method].member)
  // Filtering one of two lists would leave the other to be read.
  if (isRepeated(root, 'result') || isRepeated(result, LISTS[method].member)) return undefined
  if (result?.kind !== 'object' || list?.kind !== 'array') return 'none'
  if (isRepeated(result, 'nextCursor')) return undefined
  const cursor = nodeOf(result, 'nextCursor')
  const nextCursor =
    cursor?.kind === 'scalar' && typeof cursor.value === 'string' ? cursor.value : undefined
  const values = list.items.map(toValue)
  return {
    items: values.filter(isObject),
    nextCursor,
    rewrite({ isHidden, cursor: next, maxTtlMs, id }) {
      const isShown = (item: Json): boolean => isObject(item) && !isHidden(item)
      const kept = list.items.filter(
        (node, i) => isShown(values[i] as Json) && !isRepeated(node, LISTS[method].key),
      )
      const edits: Edit[] = [
        ...(nextCursor === undefined || cursor === undefined
          ? []
          : next === undefined
            ? removing(result, 'nextCursor')
            : [replacing(cursor, JSON.stringify(next))]),
        ...(maxTtlMs === undefined
          ? replacingAll(result, 'cacheScope', '"private"')
          : cacheEdits(result, maxTtlMs)),
      ]
      if (kept.length !== list.items.length)
        edits.push(replacing(list, `[${kept.map((n) => text.slice(n.start, n.end)).join(',')}]`))
      const own = nodeOf(root, 'id')
      if (id !== undefined && own !== undefined) edits.push(replacing(own, JSON.stringify(id)))
      return { text: applyEdits(text, edits), shown: kept.length }
    },
  }
}

/** True when readers could differ in what the member is: it comes twice, or under a name that some take for it. */
const isRepeated = (node: JsonNode | undefined, key: string): boolean => {
  if (node?.kind !== 'object') return false
  const folded = fold(key)
  const alike = node.members.filter((m) => m.key === key || fold(m.key) === folded)
  return alike.length > 1 || (alike.length === 1 && alike[0]?.key !== key)
}

/** The name or URI under which the policy knows a listed item; undefined when it has none. */
export const itemName = (method: ListMethod, item: JsonObject): string | undefined => {
  const name = member(item, LISTS[method].key)
  return typeof name === 'string' ? name : undefined
}
