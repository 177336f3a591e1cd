import { isObject, type Json, type JsonObject, member } from '../../core/json/json.ts'
import { mayAsk } from '../../core/mcp/asking.ts'
import type { Caller, Gate } from '../gate.ts'
import { grantNow } from '../grant-now.ts'
import { isResourceHidden } from '../resources.ts'
import type { LiveSession } from '../sessions.ts'
import { isTaskOpen } from '../tasks.ts'
import type { ReplySink } from '../upstream/upstream.ts'

/**
 * True when a notification of a server may reach a caller: it tells nothing of a resource or a task that
 * the caller may not reach, under the policy as it is now.
 */
export function mayTell(gate: Gate, caller: Caller, message: JsonObject): boolean {
  const method = member(message, 'method')
  const isOfResource = method === 'notifications/resources/updated'
  const isOfTask = method === 'notifications/tasks' || method === 'notifications/tasks/status'
  if (!isOfResource && !isOfTask) return true
  const grant = grantNow(gate, caller)
  if (grant === undefined) return false
  const now = grant === caller.grant ? caller : { ...caller, grant }
  const params: Json = member(message, 'params') ?? {}
  if (!isObject(params)) return false
  const name = member(params, isOfResource ? 'uri' : 'taskId')
  if (typeof name !== 'string') return false
  return isOfTask ? isTaskOpen(gate, now, name) : mayReach(now, name)
}

/**
 * True when the server may ask the client this; otherwise it is told that nobody can be asked, since it
 * waits for an answer.
 */
export function mayAskClient(caller: Caller, session: LiveSession, message: JsonObject): boolean {
  const [method, params, id] = ['method', 'params', 'id'].map((key) => member(message, key))
  if (mayAsk(session.askable, method, params)) return true
  if (typeof id !== 'string' && typeof id !== 'number') return false
  const error = { code: -32601, message: 'the client did not declare this' }
  const text = JSON.stringify({ jsonrpc: '2.0', id, error })
  caller.server.upstream.exchange(
    {
      frame: { kind: 'response', id, result: undefined, error, text },
      bytes: Buffer.from(text),
      era: caller.era,
      protocolVersion: caller.protocolVersion,
      session: session.upstream,
      grantId: caller.grant.id,
      headers: caller.headers,
    },
    NOBODY,
  )
  return false
}

/** Hears nothing: what a server says to an answer concerns nobody. */
const NOBODY: ReplySink = {
  head() {},
  chunk: () => true,
  event: () => true,
  end() {},
  fail() {},
  onDrain() {},
}

/** True for a resource that could be read, but for its limits. */
export function mayReach(caller: Caller, uri: string): boolean {
  const decision = caller.grant.policy?.policy.decideItem('resources', uri)
  return decision?.effect === 'allow' && !isResourceHidden(caller, uri)
}
