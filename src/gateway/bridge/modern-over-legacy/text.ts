import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import { META_KEYS } from '../../../core/mcp/revisions.ts'
import {
  type Span,
  type Splice,
  skimArray,
  skimObject,
  skimPath,
  splice,
} from '../../upstream/skim.ts'

/** What the stateless era says in `_meta`, and no server with sessions understands. */
const RESERVED = 'io.modelcontextprotocol/'
export const LOG_LEVEL = `${RESERVED}logLevel`
const SERVER_INFO = `${RESERVED}serverInfo`
const TASKS = `${RESERVED}tasks`

/** Methods whose results say how long they may be kept. */
const CACHEABLE: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

const NONE: JsonObject = {}
const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : NONE)

/** The `_meta` of a request. */
export const metaOf = (params: JsonObject): JsonObject => objectOf(member(params, '_meta'))

/** What a stateless request says of its client. */
export interface Client {
  readonly capabilities: JsonObject
  readonly info: JsonObject
}

/** The client of a request, as a server with sessions may hear of it: no tasks, which are not bridged. */
export function clientOf(params: JsonObject): Client {
  const meta = metaOf(params)
  const { extensions, ...capabilities } = objectOf(member(meta, META_KEYS.capabilities))
  const { [TASKS]: _, ...others } = objectOf(extensions)
  return {
    capabilities:
      Object.keys(others).length === 0 ? capabilities : { ...capabilities, extensions: others },
    info: objectOf(member(meta, META_KEYS.client)),
  }
}

/** An object's text without some members; what stays, stays as it was written. */
const without = (text: string, from: number, isDropped: (key: string) => boolean): string =>
  `{${written(text, skimObject(text, from), isDropped).join(',')}}`

type Members = ReadonlyMap<string, Span>

function written(text: string, members: Members, isDropped: (key: string) => boolean): string[] {
  const kept: string[] = []
  for (const [key, { start, end }] of members)
    if (!isDropped(key)) kept.push(`${JSON.stringify(key)}:${text.slice(start, end)}`)
  return kept
}

/** Where the parts of a request stand that are read or written anew. */
export interface Parts {
  /** As it was written. */
  readonly idText: string
  readonly params: Members
  readonly meta: Members
}

const NO_MEMBERS: Members = new Map()

/** Finds the parts of a request, in one pass over each. */
export function partsOf(text: string): Parts {
  const envelope = skimObject(text)
  const id = envelope.get('id')
  const at = envelope.get('params')
  const params = at === undefined ? NO_MEMBERS : skimObject(text, at.start)
  const meta = params.get('_meta')
  return {
    idText: id === undefined ? 'null' : text.slice(id.start, id.end),
    params,
    meta: meta === undefined ? NO_MEMBERS : skimObject(text, meta.start),
  }
}

/**
 * A stateless request as a server with sessions gets it: under an id of ours, which is its progress
 * token too, without what only the stateless era says.
 */
export function requestDown(
  frame: RequestFrame,
  id: number,
  parts: Parts = partsOf(frame.text),
): RequestFrame {
  const { text } = frame
  const { _meta, inputResponses: _i, requestState: _r, ...rest } = frame.params
  const kept = Object.entries(objectOf(_meta)).flatMap(([key, value]) =>
    key.startsWith(RESERVED) ? [] : [[key, key === 'progressToken' ? id : value] as const],
  )
  const hasMeta = kept.length > 0
  const members = written(text, parts.params, isLeftOut)
  if (hasMeta) members.push(`"_meta":${metaDown(text, parts.meta, id)}`)
  const method = JSON.stringify(frame.method)
  return {
    ...frame,
    id,
    params: hasMeta ? { ...rest, _meta: Object.fromEntries(kept) } : rest,
    text: `{"jsonrpc":"2.0","id":${id},"method":${method},"params":{${members.join(',')}}}`,
  }
}

const isLeftOut = (key: string): boolean =>
  key === '_meta' || key === 'inputResponses' || key === 'requestState'

function metaDown(text: string, meta: Members, id: number): string {
  const kept = written(text, meta, (key) => key.startsWith(RESERVED) || key === 'progressToken')
  if (meta.has('progressToken')) kept.push(`"progressToken":${id}`)
  return `{${kept.join(',')}}`
}

/** The text of one value of a message. */
export function textAt(text: string, ...path: readonly string[]): string | undefined {
  const span = skimPath(text, ...path)
  return span === undefined ? undefined : text.slice(span.start, span.end)
}

/** What goes into every result of a server. */
export interface Stamp {
  readonly idText: string
  readonly method: string
  /** What the server says of itself, as it wrote it. */
  readonly serverInfo: string | undefined
}

/** The answer of a server with sessions as a stateless client gets it. */
export function answerUp(text: string, { idText, method, serverInfo }: Stamp): string {
  const envelope = skimObject(text)
  const result = envelope.get('result')
  if (result === undefined) {
    const error = envelope.get('error')
    const written = error === undefined ? '{}' : text.slice(error.start, error.end)
    return `{"jsonrpc":"2.0","id":${idText},"error":${errorUp(written)}}`
  }
  const raw = text.slice(result.start, result.end)
  return `{"jsonrpc":"2.0","id":${idText},"result":${resultUp(raw, method, serverInfo)}}`
}

function resultUp(text: string, method: string, serverInfo: string | undefined): string {
  const members = skimObject(text)
  const edits: Splice[] = []
  const added: string[] = []
  const type = members.get('resultType')
  // A server with sessions gives results that are complete, whatever it says.
  if (type === undefined) added.push('"resultType":"complete"')
  else edits.push({ ...type, text: '"complete"' })
  if (CACHEABLE.has(method)) {
    if (!members.has('ttlMs')) added.push('"ttlMs":0')
    if (!members.has('cacheScope')) added.push('"cacheScope":"private"')
  }
  if (method === 'tools/list' && text.includes('"execution"'))
    edits.push(...withoutExecution(text, members.get('tools')?.start))
  if (serverInfo !== undefined) {
    const meta = members.get('_meta')
    const own = `${JSON.stringify(SERVER_INFO)}:${serverInfo}`
    if (meta === undefined) added.push(`"_meta":{${own}}`)
    else if (!skimObject(text, meta.start).has(SERVER_INFO)) {
      const isEmpty = skimObject(text, meta.start).size === 0
      const at = meta.start + 1
      edits.push({ start: at, end: at, text: isEmpty ? own : `${own},` })
    }
  }
  const start = text.indexOf('{') + 1
  const head = added.length === 0 ? '' : added.join(',') + (members.size === 0 ? '' : ',')
  return splice(text, [{ start, end: start, text: head }, ...edits])
}

/** Whether a tool can be a task of 2025-11-25 means nothing where these tasks are not spoken. */
function withoutExecution(text: string, tools: number | undefined): readonly Splice[] {
  if (tools === undefined || text[tools] !== '[') return []
  return skimArray(text, tools).flatMap((tool) =>
    skimObject(text, tool.start).has('execution')
      ? [{ ...tool, text: without(text, tool.start, (key) => key === 'execution') }]
      : [],
  )
}

const RESOURCE_UNKNOWN = '-32002'

/** Codes of the era with sessions that the stateless one has no more. */
function errorUp(text: string): string {
  const code = skimObject(text).get('code')
  if (code === undefined || text.slice(code.start, code.end) !== RESOURCE_UNKNOWN) return text
  return splice(text, [{ ...code, text: '-32602' }])
}

/** The answer to `server/discover`, from the answer to `initialize`. */
export function discovery(
  initialized: string,
  { idText, versions }: { readonly idText: string; readonly versions: readonly string[] },
): string {
  const result = skimPath(initialized, 'result')
  const members = result === undefined ? new Map() : skimObject(initialized, result.start)
  const at = (key: string): string | undefined => {
    const span = members.get(key)
    return span === undefined ? undefined : initialized.slice(span.start, span.end)
  }
  const capabilities = members.get('capabilities')
  const parts = [
    '"resultType":"complete"',
    `"supportedVersions":${JSON.stringify(versions)}`,
    `"capabilities":${capabilities === undefined ? '{}' : without(initialized, capabilities.start, (key) => key === 'tasks')}`,
    '"ttlMs":0,"cacheScope":"private"',
  ]
  const instructions = at('instructions')
  if (instructions !== undefined) parts.push(`"instructions":${instructions}`)
  const info = at('serverInfo')
  if (info !== undefined) parts.push(`"_meta":{${JSON.stringify(SERVER_INFO)}:${info}}`)
  return `{"jsonrpc":"2.0","id":${idText},"result":{${parts.join(',')}}}`
}

/** What only belongs to the transport of a server's request, or to an era of its own. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set(['elicitationId', 'task'])

/** A request of the server as a stateless client finds it in `inputRequests`. */
export function inputRequest(method: string, text: string): string {
  const params = skimPath(text, 'params')
  const written =
    params === undefined
      ? undefined
      : without(text, params.start, (key) => OF_THE_REQUEST.has(key) || key === '_meta')
  return `{"method":${JSON.stringify(method)}${written === undefined ? '' : `,"params":${written}`}}`
}

/** A notification of a subscription. */
export function subscribed(text: string, key: string, idText: string): string {
  const params = skimPath(text, 'params')
  const tag = `${JSON.stringify(key)}:${idText}`
  if (params === undefined) {
    const end = text.lastIndexOf('}')
    return `${text.slice(0, end)},"params":{"_meta":{${tag}}}}`
  }
  const members = skimObject(text, params.start)
  const meta = members.get('_meta')
  if (meta === undefined) {
    const comma = members.size === 0 ? '' : ','
    const at = params.start + 1
    return splice(text, [{ start: at, end: at, text: `"_meta":{${tag}}${comma}` }])
  }
  const rest = without(text, meta.start, (k) => k === key)
  return splice(text, [
    { ...meta, text: rest === '{}' ? `{${tag}}` : `${rest.slice(0, -1)},${tag}}` },
  ])
}
