import { applyEdits, type Edit } from '../json/edit.ts'
import { type JsonNode, nodeOf, parseNodes } from '../json/parse.ts'
import type { FrameId } from '../mcp/frame-model.ts'
import { LISTS, type ListMethod } from '../mcp/list.ts'
import { renamed } from './answer.ts'
import { joinName, joinUri } from './names.ts'

/** One page of a member's list, each definition with the stack's names. */
export interface MemberPage {
  readonly items: readonly string[]
  readonly cursor: string | undefined
  readonly ttlMs: number
}

/** Reads a member's answer to a list request; undefined when it holds no list. */
export function pageOf(text: string, method: ListMethod, member: string): MemberPage | undefined {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  const result = nodeOf(root, 'result')
  const list = nodeOf(result, LISTS[method].member)
  if (list?.kind !== 'array') return undefined
  const cursor = scalarOf(nodeOf(result, 'nextCursor'))
  const ttl = scalarOf(nodeOf(result, 'ttlMs'))
  return {
    items: list.items.map((item) => definition(text, item, method, member)),
    cursor: typeof cursor === 'string' ? cursor : undefined,
    ttlMs: typeof ttl === 'number' && ttl > 0 ? ttl : 0,
  }
}

const scalarOf = (node: JsonNode | undefined) => (node?.kind === 'scalar' ? node.value : undefined)

/** A definition, byte for byte but for what names it. */
function definition(text: string, item: JsonNode, method: ListMethod, member: string): string {
  const toName = (name: string): string => joinName(member, name)
  const toUri = (uri: string): string => joinUri(member, uri)
  const isResource = method === 'resources/list' || method === 'resources/templates/list'
  const edits: Edit[] = [
    ...renamed(nodeOf(item, LISTS[method].key), isResource ? toUri : toName),
    ...viewEdits(item, toUri),
  ]
  const own = text.slice(item.start, item.end)
  const moved = edits.map((edit) => ({
    ...edit,
    start: edit.start - item.start,
    end: edit.end - item.start,
  }))
  return applyEdits(own, moved)
}

/** The views that a tool of an MCP App names, in the present and in the older key. */
function viewEdits(item: JsonNode, toUri: (uri: string) => string): readonly Edit[] {
  const meta = nodeOf(item, '_meta')
  return [
    ...renamed(nodeOf(nodeOf(meta, 'ui'), 'resourceUri'), toUri),
    ...renamed(nodeOf(meta, 'ui/resourceUri'), toUri),
  ]
}

/** A page of a stack's list. */
export interface StackPage {
  readonly method: ListMethod
  readonly pages: readonly MemberPage[]
  readonly cursor: string | undefined
  /** Members that gave no page, by name: the list is not to be kept. */
  readonly missing: readonly string[]
}

/** The answer that holds a page of a stack's list. */
export function pageReply(id: FrameId, { method, pages, cursor, missing }: StackPage): string {
  const ttlMs = missing.length > 0 ? 0 : Math.min(...pages.map((page) => page.ttlMs))
  const rest = JSON.stringify({
    ...(cursor === undefined ? {} : { nextCursor: cursor }),
    ttlMs: Number.isFinite(ttlMs) ? ttlMs : 0,
    cacheScope: 'private',
    ...missingMeta(missing),
  })
  const items = pages.flatMap((page) => page.items).join(',')
  const list = `${JSON.stringify(LISTS[method].member)}:[${items}]`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete",${list},${rest.slice(1)}}`
}

/** The `_meta` key under which an answer names the members that are not in it. */
export const MISSING_META = 'sallyport.dev/missing'

/** Says in an answer which members are not in it. */
export const missingMeta = (missing: readonly string[]) =>
  missing.length === 0 ? {} : { _meta: { [MISSING_META]: missing } }
