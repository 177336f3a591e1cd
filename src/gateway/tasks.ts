import { applyEdits, replacing } from '../core/json/edit.ts'
import { isObject, type Json, member } from '../core/json/json.ts'
import { type JsonNode, nodeOf, parseNodes } from '../core/json/parse.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import type { Decision } from '../core/policy/model.ts'
import { makeRoom } from './bounded.ts'
import type { Caller, Gate } from './gate.ts'

const MAX_TASKS = 10_000

/** True for requests about a task. */
export const isTaskMethod = (method: string): boolean => method.startsWith('tasks/')

/** The task that a result holds: in the modern era itself, in the other under `task`. */
function taskIdOf(text: string): string | undefined {
  let message: Json
  try {
    message = parseJson(text)
  } catch {
    return undefined
  }
  const result = isObject(message) ? member(message, 'result') : undefined
  if (!isObject(result)) return undefined
  const task = member(result, 'task')
  const id = member(result, 'taskId') ?? (isObject(task) ? member(task, 'taskId') : undefined)
  return typeof id === 'string' ? id : undefined
}

/** Binds the task that an answer to tools/call made, if it made one, to the caller's grant. */
export function rememberTask(caller: Caller, tool: string, text: string): void {
  const id = taskIdOf(text)
  if (id === undefined) return
  const { tasks } = caller.server
  makeRoom(tasks, MAX_TASKS)
  tasks.set(id, { grantId: caller.grant.id, tool })
}

/** A tool that a policy denies outright, whatever the arguments, no longer has tasks either. */
const isStillAllowed = (decision: Decision): boolean =>
  decision.effect !== 'deny' || !/^\((default deny|hidden|drift)\)$|\/action$/.test(decision.rule)

/** True for a task of this grant's, while the tool that made it stays allowed. */
export function isTaskOpen(gate: Gate, caller: Caller, taskId: string): boolean {
  const { grant, session, client, server } = caller
  const owner = server.tasks.get(taskId)
  if (owner === undefined || owner.grantId !== grant.id || grant.policy === undefined) return false
  return isStillAllowed(
    grant.policy.policy.decide({
      subject: { grant, session: session?.id, client },
      tool: server.catalogue.describe(owner.tool),
      args: {},
      context: { at: gate.clock.now(), counters: new Map() },
    }),
  )
}

/** A list of tasks without those that the caller may not reach; undefined for a text that is no list. */
export function filterTasks(gate: Gate, caller: Caller, text: string): string | undefined {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  const result = nodeOf(root, 'result')
  const list = nodeOf(result, 'tasks')
  if (list === undefined) return text
  if (list.kind !== 'array') return undefined
  const kept = list.items.filter((item) => {
    const ids = item.kind === 'object' ? item.members.filter((m) => m.key === 'taskId') : []
    const id = ids.length === 1 ? ids[0]?.node : undefined
    return (
      id?.kind === 'scalar' && typeof id.value === 'string' && isTaskOpen(gate, caller, id.value)
    )
  })
  const texts = kept.map((item) => text.slice(item.start, item.end))
  return applyEdits(text, [replacing(list, `[${texts.join(',')}]`)])
}

/** Which tool made the task that a request names; undefined when it is not this grant's. */
export function taskOwner(caller: Caller, frame: RequestFrame): { tool: string } | undefined {
  const id = member(frame.params, 'taskId')
  const owner = typeof id === 'string' ? caller.server.tasks.get(id) : undefined
  return owner?.grantId === caller.grant.id ? owner : undefined
}
