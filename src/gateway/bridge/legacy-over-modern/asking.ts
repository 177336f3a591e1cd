import { randomBytes, randomUUID } from 'node:crypto'
import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import type { FrameId } from '../../../core/mcp/frame-model.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import { skimMembers, skimObject, textOf } from '../../upstream/skim.ts'

/** One thing that a server wants to know from the client before it can answer. */
export interface InputRequest {
  /** The server's name for it. */
  readonly key: string
  readonly method: string
  /** The request to the client, as JSON text, under this id. */
  readonly id: string
  readonly text: string
}

/** What a server asks for in one round. */
export interface InputRound {
  readonly requests: readonly InputRequest[]
  /** The server's state as JSON text; undefined when it gave none. */
  readonly state: string | undefined
}

/** Questions beyond this number are no round but a flood. */
const MAX_REQUESTS = 64

/**
 * The requests of an `input_required` result, as a server with sessions would send them; a text says
 * why there is no such round: the server has a bug, or the client can't be asked.
 */
export function readRound(text: string, capabilities: JsonObject): InputRound | Unanswerable {
  const result = skimObject(text).get('result')
  const members = skimObject(text, result?.start ?? 0)
  const given = members.get('inputRequests')
  const own = members.get('requestState')
  const state = own === undefined ? undefined : textOf(text, own)
  const spans = given === undefined ? [] : skimMembers(text, given.start)
  if (state !== undefined && !state.startsWith('"')) return bug('its requestState is no text')
  if (spans.length === 0 && state === undefined) return bug('it asks for nothing')
  if (spans.length > MAX_REQUESTS) return bug(`it asks for more than ${MAX_REQUESTS} things`)
  const requests: InputRequest[] = []
  for (const span of spans) {
    const entry = parseJson(textOf(text, span)) as unknown
    const method = isObject(entry) ? member(entry, 'method') : undefined
    const params = isObject(entry) ? member(entry, 'params') : undefined
    if (typeof method !== 'string' || !Object.hasOwn(NEEDS, method))
      return bug('it asks for what the protocol does not have')
    if (params !== undefined ? !isObject(params) : method !== 'roots/list')
      return bug(`its ${method} has no params`)
    const missing = NEEDS[method as Askable](isObject(params) ? params : {}, capabilities)
    if (missing !== undefined)
      return { isBug: false, reason: `it asks for ${missing}, which this client has not declared` }
    requests.push(requestOf(span.key, method, textOf(text, span)))
  }
  return { requests, state }
}

/** Why a round can't be answered, and whose fault that is. */
export interface Unanswerable {
  readonly isBug: boolean
  readonly reason: string
}

const bug = (reason: string): Unanswerable => ({ isBug: true, reason })

type Askable = 'elicitation/create' | 'sampling/createMessage' | 'roots/list'

const capability = (declared: JsonObject, name: string): JsonObject | undefined => {
  const value = member(declared, name)
  return isObject(value) ? value : undefined
}

/** What of the client's capabilities a request would need and does not find. */
const NEEDS: Record<Askable, (params: JsonObject, declared: JsonObject) => string | undefined> = {
  'elicitation/create'(params, declared) {
    const mode = member(params, 'mode') === 'url' ? 'url' : 'form'
    const own = capability(declared, 'elicitation')
    return own !== undefined && Object.hasOwn(own, mode) ? undefined : `elicitation (${mode})`
  },
  'sampling/createMessage'(params, declared) {
    const own = capability(declared, 'sampling')
    const usesTools = Object.hasOwn(params, 'tools') || Object.hasOwn(params, 'toolChoice')
    if (own === undefined) return 'sampling'
    return usesTools && !Object.hasOwn(own, 'tools') ? 'sampling with tools' : undefined
  },
  'roots/list': (_, declared) =>
    capability(declared, 'roots') === undefined ? 'roots' : undefined,
}

function requestOf(key: string, method: string, entry: string): InputRequest {
  const id = `sallyport-${randomBytes(9).toString('base64url')}`
  const span = skimObject(entry).get('params')
  const params = span === undefined ? undefined : paramsText(method, textOf(entry, span))
  const text = `{"jsonrpc":"2.0","id":"${id}","method":${JSON.stringify(method)}${params === undefined ? '' : `,"params":${params}`}}`
  return { key, method, id, text }
}

/** A session's URL elicitation has an id, which the stateless one has not. */
function paramsText(method: string, params: string): string {
  if (method !== 'elicitation/create') return params
  const { mode, elicitationId } = parseJson(params) as Record<string, unknown>
  if (mode !== 'url' || elicitationId !== undefined) return params
  return `${params.slice(0, -1)},"elicitationId":"${randomUUID()}"}`
}

/** What the client is told when its answer is not waited for any more. */
export const withdrawn = (id: FrameId): string =>
  `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${JSON.stringify(id)},"reason":"the call has ended"}}`
