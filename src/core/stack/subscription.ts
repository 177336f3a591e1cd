import { isObject, type JsonObject, member } from '../json/json.ts'
import type { FrameId, RequestFrame } from '../mcp/frame-model.ts'
import { joinName, joinUri, type Named, splitName, splitUri } from './names.ts'
import { withParam } from './route.ts'

/** Lists whose changes a client may ask to be told of, and the notification that tells it. */
export const LIST_FLAGS = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const
/** The name of such a wish. */
export type ListFlag = keyof typeof LIST_FLAGS

/** Wishes that name things of one member each, and how their names are made. */
const NAMED = {
  resourceSubscriptions: { split: splitUri, join: joinUri },
  taskIds: { split: splitName, join: joinName },
} as const
type NamedWish = keyof typeof NAMED

/** What a `subscriptions/listen` asks for. */
export type Wishes = JsonObject

const METHOD = 'notifications/subscriptions/acknowledged'
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

/** What a request asks to be told of. */
export function wishesOf(frame: RequestFrame): Wishes {
  const wishes = member(frame.params, 'notifications')
  return isObject(wishes) ? wishes : {}
}

const textsOf = (wishes: Wishes, key: NamedWish): readonly string[] => {
  const list = member(wishes, key)
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
}

/** The flags among the wishes. */
export const flagsOf = (wishes: Wishes): readonly ListFlag[] =>
  (Object.keys(LIST_FLAGS) as ListFlag[]).filter((flag) => member(wishes, flag) === true)

/** The request as one member gets it: its own things only. Undefined when nothing in it is for it. */
export function listenFrame(frame: RequestFrame, of: string): RequestFrame | undefined {
  const wishes = wishesOf(frame)
  let own = frame
  let isConcerned = flagsOf(wishes).length > 0
  for (const key of Object.keys(NAMED) as NamedWish[]) {
    if (!Array.isArray(member(wishes, key))) continue
    const named = textsOf(wishes, key).map((text): Named | undefined => NAMED[key].split(text))
    const names = named.flatMap((n) => (n?.member === of ? [n.name] : []))
    own = withParam(own, ['notifications', key], names)
    isConcerned ||= names.length > 0
  }
  return isConcerned ? own : undefined
}

/** What one member agreed to tell of. */
export interface Agreed {
  readonly member: string
  readonly wishes: Wishes
}

/** The acknowledgement of a stack: what its members agreed to, together. */
export function acknowledgement(frame: RequestFrame, agreed: readonly Agreed[]): string {
  const wishes = wishesOf(frame)
  const granted: Record<string, boolean | readonly string[]> = {}
  // Members come and go, so the tools of a stack may always change.
  for (const flag of flagsOf(wishes))
    if (flag === 'toolsListChanged' || agreed.some((a) => member(a.wishes, flag) === true))
      granted[flag] = true
  for (const key of Object.keys(NAMED) as NamedWish[]) {
    const names = agreed.flatMap((a) =>
      textsOf(a.wishes, key).map((name) => NAMED[key].join(a.member, name)),
    )
    if (names.length > 0) granted[key] = names
  }
  return notification(METHOD, frame.id, { notifications: granted })
}

/** A notification on the stream of a subscription. */
export const notification = (method: string, id: FrameId, params: JsonObject = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { _meta: { [SUBSCRIPTION]: id }, ...params } })

/** The answer that ends a subscription in order. */
export const subscriptionEnd = (id: FrameId): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: id } },
  })

/** What an acknowledgement of a member agrees to; undefined for any other message. */
export function agreedIn(message: JsonObject): Wishes | undefined {
  if (member(message, 'method') !== METHOD) return undefined
  const params = member(message, 'params')
  const wishes = isObject(params) ? member(params, 'notifications') : undefined
  return isObject(wishes) ? wishes : {}
}
