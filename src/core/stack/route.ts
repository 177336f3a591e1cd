import { applyEdits } from '../json/edit.ts'
import { isObject, type JsonObject, member } from '../json/json.ts'
import { type JsonNode, nodeOf, parseNodes } from '../json/parse.ts'
import type { RequestFrame } from '../mcp/frame-model.ts'
import { type Named, splitName, splitUri } from './names.ts'

/** Where a request says which member it means, and how that is written. */
interface Place {
  readonly path: readonly [string] | readonly ['ref', string]
  readonly split: (text: string) => Named | undefined
  readonly what: 'tool' | 'prompt' | 'resource' | 'task'
}

/** A request for one member: the client's own, with the member's name taken off. */
export interface Routed {
  readonly member: string
  readonly frame: RequestFrame
}

const TOOL: Place = { path: ['name'], split: splitName, what: 'tool' }
const PROMPT: Place = { path: ['name'], split: splitName, what: 'prompt' }
const RESOURCE: Place = { path: ['uri'], split: splitUri, what: 'resource' }
const TASK: Place = { path: ['taskId'], split: splitName, what: 'task' }
const PLACES: ReadonlyMap<string, Place> = new Map([
  ['tools/call', TOOL],
  ['prompts/get', PROMPT],
  ['resources/read', RESOURCE],
  ['tasks/get', TASK],
  ['tasks/update', TASK],
  ['tasks/cancel', TASK],
])

/** What a request is about, as the stack names it; undefined for a request about no single thing. */
export interface Asked {
  readonly what: Place['what']
  readonly name: string
}

function placeOf({ method, params }: RequestFrame): Place | undefined {
  if (method !== 'completion/complete') return PLACES.get(method)
  const ref = member(params, 'ref')
  const isResource = isObject(ref) && member(ref, 'type') === 'ref/resource'
  return isResource ? { ...RESOURCE, path: ['ref', 'uri'] } : { ...PROMPT, path: ['ref', 'name'] }
}

/** True for a request that is about one thing of one member. */
export const isRouted = (frame: RequestFrame): boolean => placeOf(frame) !== undefined

const valueAt = (params: JsonObject, path: Place['path']): unknown => {
  const [first, second] = path
  const value = member(params, first)
  return second === undefined ? value : isObject(value) ? member(value, second) : undefined
}

/** What a routed request is about; undefined where it does not say. */
export function askedOf(frame: RequestFrame): Asked | undefined {
  const place = placeOf(frame)
  const name = place === undefined ? undefined : valueAt(frame.params, place.path)
  return place === undefined || typeof name !== 'string' ? undefined : { what: place.what, name }
}

/**
 * The member that a request means, and the request as that member gets it: the same text, with the
 * member's own name in the place of the stack's. Undefined when it names no member.
 */
export function routeOf(frame: RequestFrame): Routed | undefined {
  const place = placeOf(frame)
  const asked = askedOf(frame)
  const named = asked === undefined ? undefined : place?.split(asked.name)
  if (place === undefined || named === undefined) return undefined
  return { member: named.member, frame: withParam(frame, place.path, named.name) }
}

/** The frame with another value at a place of its params that it has. */
export function withParam(
  frame: RequestFrame,
  path: readonly string[],
  value: string | readonly string[],
): RequestFrame {
  let node: JsonNode | undefined = nodeOf(parseNodes(frame.text), 'params')
  for (const key of path) node = nodeOf(node, key)
  if (node === undefined) return frame
  const { start, end } = node
  const text = applyEdits(frame.text, [{ start, end, text: JSON.stringify(value) }])
  return { ...frame, params: replaced(frame.params, path, value), text }
}

function replaced(
  object: JsonObject,
  [key = '', ...rest]: readonly string[],
  value: string | readonly string[],
): JsonObject {
  const inner = object[key]
  const next = rest.length === 0 || !isObject(inner) ? value : replaced(inner, rest, value)
  return { ...object, [key]: next }
}
