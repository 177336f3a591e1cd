import { applyEdits, type Edit, replacing } from '../core/json/edit.ts'
import { isObject, type Json, type JsonObject, member } from '../core/json/json.ts'
import { type JsonNode, nodeOf, parseNodes } from '../core/json/parse.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { mayReach } from './answers/notices.ts'
import type { Caller, Gate } from './gate.ts'
import { isTaskOpen } from './tasks.ts'

type Keeps = (name: string) => boolean

/**
 * A `subscriptions/listen` without the resources and tasks that its caller may not reach: the server is
 * never asked for them, so that it agrees to none of them.
 */
export function withoutDenied(gate: Gate, caller: Caller, frame: RequestFrame): RequestFrame {
  const given = member(frame.params, 'notifications')
  if (!isObject(given)) return frame
  const keeps: Readonly<Record<string, Keeps>> = {
    resourceSubscriptions: (uri) => mayReach(caller, uri),
    taskIds: (id) => isTaskOpen(gate, caller, id),
  }
  const node = nodeOf(nodeOf(parseNodes(frame.text), 'params'), 'notifications')
  const edits: Edit[] = []
  const left: Record<string, Json> = {}
  for (const [key, isKept] of Object.entries(keeps)) {
    const list = nodeOf(node, key)
    if (list === undefined) continue
    const kept = list.kind === 'array' ? list.items.filter((item) => isName(item, isKept)) : []
    if (list.kind === 'array' && kept.length === list.items.length) continue
    const texts = kept.map((item) => frame.text.slice(item.start, item.end))
    edits.push(replacing(list, `[${texts.join(',')}]`))
    left[key] = kept.map((item) => (item as Extract<JsonNode, { kind: 'scalar' }>).value)
  }
  if (edits.length === 0) return frame
  const notifications: JsonObject = { ...given, ...left }
  return {
    ...frame,
    params: { ...frame.params, notifications },
    text: applyEdits(frame.text, edits),
  }
}

const isName = (node: JsonNode, isKept: Keeps): boolean =>
  node.kind === 'scalar' && typeof node.value === 'string' && isKept(node.value)
