import { isObject, type Json, member } from '../core/json/json.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import { makeRoom } from './bounded.ts'
import type { Caller } from './gate.ts'

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

/** Which tool made the task that a request names; undefined when it is not this grant's. */
export function taskOwner(caller: Caller, frame: RequestFrame): { tool: string } | undefined {
  const id = member(frame.params, 'taskId')
  const owner = typeof id === 'string' ? caller.server.tasks.get(id) : undefined
  return owner?.grantId === caller.grant.id ? owner : undefined
}
