import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { type JsonNode, nodeOf, parseNodes, toValue } from '../json/parse.ts'

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

/** One page of a list as a server gave it. */
export interface ListPage {
  readonly items: readonly JsonObject[]
  readonly hasMore: boolean
}

/** An answer to a list request, and the page that it holds; no page when it is an error or odd. */
export interface FilteredList {
  readonly text: string
  readonly page: ListPage | undefined
}

/**
 * Takes the items that `isHidden` names out of a list answer, and marks what is left as private to
 * its reader. All other bytes stay as they came. An answer that is not JSON, or that holds two
 * lists, is undefined.
 */
export function filterList(
  text: string,
  method: ListMethod,
  isHidden: (item: JsonObject) => boolean,
): FilteredList | undefined {
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
  if (result === undefined || list?.kind !== 'array') return { text, page: undefined }
  const items = list.items.map(toValue)
  const isShown = (item: Json): boolean => isObject(item) && !isHidden(item)
  const kept = list.items.filter(
    (node, i) => isShown(items[i] as Json) && !isRepeated(node, LISTS[method].key),
  )
  const edits: Edit[] = []
  if (kept.length !== list.items.length)
    edits.push({
      start: list.start,
      end: list.end,
      text: `[${kept.map((n) => text.slice(n.start, n.end)).join(',')}]`,
    })
  const scope = nodeOf(result, 'cacheScope')
  if (scope !== undefined) edits.push({ start: scope.start, end: scope.end, text: '"private"' })
  const cursor = nodeOf(result, 'nextCursor')
  return {
    text: splice(text, edits),
    page: {
      items: items.filter(isObject),
      hasMore: cursor?.kind === 'scalar' && typeof cursor.value === 'string',
    },
  }
}

/** True when an object names a member more than once. */
const isRepeated = (node: JsonNode | undefined, key: string): boolean =>
  node?.kind === 'object' && node.members.filter((m) => m.key === key).length > 1

/** A replacement of `text[start, end)`. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

const splice = (text: string, edits: readonly Edit[]): string =>
  edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((out, e) => out.slice(0, e.start) + e.text + out.slice(e.end), text)

/** The name or URI under which the policy knows a listed item; undefined when it has none. */
export const itemName = (method: ListMethod, item: JsonObject): string | undefined => {
  const name = member(item, LISTS[method].key)
  return typeof name === 'string' ? name : undefined
}
