import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { TASKS_EXTENSION } from './revisions.ts'

/** What a server may ask of a client, by what the client declared. */
export type Askable = 'sampling' | 'roots' | 'elicitation' | 'elicitation by url' | 'tasks'

const has = (object: Json | undefined, key: string): boolean =>
  isObject(object) && isObject(member(object, key))

/** What a client that declares these capabilities can be asked. */
export function askableOf(capabilities: Json | undefined): readonly Askable[] {
  if (!isObject(capabilities)) return []
  const elicitation = member(capabilities, 'elicitation')
  const byUrl = has(elicitation, 'url')
  // An empty declaration, as older revisions have it, means forms.
  const byForm = isObject(elicitation) && (has(elicitation, 'form') || !byUrl)
  return [
    ...(['sampling', 'roots', 'tasks'] as const).filter((name) => has(capabilities, name)),
    ...(byForm ? (['elicitation'] as const) : []),
    ...(byUrl ? (['elicitation by url'] as const) : []),
  ]
}

const SAFE_URL = /^https?:\/\//i

/** What a request of a server takes of its client; undefined when nobody has it, none when all have. */
function needOf(method: string, params: JsonObject): Askable | 'nothing' | undefined {
  if (method === 'ping') return 'nothing'
  if (method === 'sampling/createMessage') return 'sampling'
  if (method === 'roots/list') return 'roots'
  if (/^tasks\/(?:get|list|result|cancel)$/.test(method)) return 'tasks'
  if (method !== 'elicitation/create') return undefined
  if (member(params, 'mode') !== 'url') return 'elicitation'
  const url = member(params, 'url')
  // A page to be opened, not a script to be run.
  return typeof url === 'string' && SAFE_URL.test(url) ? 'elicitation by url' : undefined
}

/** True when a client may be asked this: it declared that it can, and what is asked is known. */
export function mayAsk(
  askable: readonly Askable[],
  method: Json | undefined,
  params: Json | undefined,
): boolean {
  if (typeof method !== 'string') return false
  const need = needOf(method, isObject(params) ? params : {})
  return need === 'nothing' || (need !== undefined && askable.includes(need))
}

/** Methods whose result may ask for input before there is one. */
const ASKING = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** The request that a result answers, as far as it decides what the result may be. */
export interface Expected {
  readonly method: string
  /** What the request declared of its client. */
  readonly capabilities: Json | undefined
}

/** Why a stateless result may not reach its client; undefined when it may. */
export function resultProblem(result: Json | undefined, expected: Expected): string | undefined {
  if (!isObject(result)) return undefined
  const type = member(result, 'resultType')
  const isAsking = type === 'input_required'
  if (isAsking && !ASKING.has(expected.method)) return 'it asks for input where it may not'
  if (isAsking || member(result, 'inputRequests') !== undefined)
    return inputProblem(member(result, 'inputRequests'), askableOf(expected.capabilities))
  if (type === undefined || type === 'complete') return undefined
  const extensions = isObject(expected.capabilities)
    ? member(expected.capabilities, 'extensions')
    : undefined
  if (type === 'task' && expected.method === 'tools/call' && has(extensions, TASKS_EXTENSION))
    return undefined
  return 'its result is of a kind that the client did not ask for'
}

function inputProblem(requests: Json | undefined, askable: readonly Askable[]): string | undefined {
  if (requests === undefined) return undefined
  if (!isObject(requests)) return 'its `inputRequests` are no object'
  const isWrong = Object.values(requests).some(
    (one) => !isObject(one) || !mayAsk(askable, member(one, 'method'), member(one, 'params')),
  )
  return isWrong ? 'it asks for what the client did not declare' : undefined
}
