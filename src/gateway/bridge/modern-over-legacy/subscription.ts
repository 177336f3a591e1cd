import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import { objectIn } from '../../upstream/incoming.ts'
import { SUBSCRIPTION_ID } from '../../upstream/rewriting.ts'
import type { Leg } from './leg.ts'
import type { BridgeSession } from './session.ts'
import { subscribed } from './text.ts'

/** Resources that one client may want to hear of at once. */
const MAX_RESOURCES = 100
/** Changes that wait for one that does not read. */
const MAX_WAITING = 1_000
const UPDATED = 'notifications/resources/updated'

/** The kinds of changes that a client may want to hear of, and who must offer them. */
const KINDS = {
  toolsListChanged: ['tools', 'notifications/tools/list_changed'],
  promptsListChanged: ['prompts', 'notifications/prompts/list_changed'],
  resourcesListChanged: ['resources', 'notifications/resources/list_changed'],
} as const
type Kind = keyof typeof KINDS

/**
 * Serves `subscriptions/listen` from a session: changes of lists come on the stream that belongs to no
 * request, those of resources after `resources/subscribe`. It ends when its client goes.
 */
export function openSubscription(session: BridgeSession, leg: Leg): void {
  const asked = objectIn(leg.frame.params, 'notifications')
  let uris: readonly string[] = []
  let isOver = false
  let leave = (): void => {}
  /** What waits for a client that does not read; undefined while it does. */
  let waiting: Map<string, string> | undefined

  leg.workedOnBy(() => {
    isOver = true
    leave()
    for (const uri of uris) session.unwant(uri)
  })

  async function open(): Promise<void> {
    const hasStream = await session.listen()
    const kinds = (Object.keys(KINDS) as Kind[]).filter(
      (kind) =>
        hasStream && member(asked, kind) === true && session.offers(KINDS[kind][0], 'listChanged'),
    )
    const granted = hasStream ? await subscribeAll(session, asked) : undefined
    uris = granted ?? []
    if (isOver) {
      for (const uri of uris) session.unwant(uri)
      return
    }
    if (session.isLost) {
      end()
      return
    }
    leg.event(acknowledgement(leg, kinds, granted))
    const heard = new Set<string>(kinds.map((kind) => KINDS[kind][1]))
    leave = session.subscribe(({ method, params, text }) => {
      const changed = method === UPDATED ? String(member(params, 'uri')) : ''
      const isWanted =
        method === UPDATED ? uris.some((uri) => isPartOf(changed, uri)) : heard.has(method)
      if (isWanted) tell(`${method} ${changed}`, subscribed(text, SUBSCRIPTION_ID, leg.idText))
    }, end)
  }

  /** A client that does not read is told of a change once, however often it happens meanwhile. */
  function tell(change: string, text: string): void {
    if (waiting !== undefined) {
      waiting.set(change, text)
      if (waiting.size > MAX_WAITING) end()
      return
    }
    if (leg.event(text)) return
    waiting = new Map()
    leg.onDrain(() => {
      const due = waiting ?? []
      waiting = undefined
      for (const [key, late] of due) tell(key, late)
    })
  }

  /** The session is gone: a client that still wants to listen opens another. */
  function end(): void {
    if (isOver) return
    isOver = true
    leave()
    const meta = `{${JSON.stringify(SUBSCRIPTION_ID)}:${leg.idText}}`
    leg.answer(
      `{"jsonrpc":"2.0","id":${leg.idText},"result":{"resultType":"complete","_meta":${meta}}}`,
    )
  }

  void open()
}

async function subscribeAll(
  session: BridgeSession,
  asked: JsonObject,
): Promise<readonly string[] | undefined> {
  const wanted = member(asked, 'resourceSubscriptions')
  if (!Array.isArray(wanted) || !session.offers('resources', 'subscribe')) return undefined
  const uris = [...new Set(wanted.filter((uri) => typeof uri === 'string'))].slice(0, MAX_RESOURCES)
  const taken = await Promise.all(uris.map((uri) => session.want(uri)))
  return uris.filter((_, i) => taken[i])
}

/** A server may tell of a part of what was subscribed to. */
const isPartOf = (uri: string, of: string): boolean => uri === of || uri.startsWith(`${of}/`)

function acknowledgement(
  { idText }: Leg,
  kinds: readonly Kind[],
  uris: readonly string[] | undefined,
): string {
  const notifications = {
    ...Object.fromEntries(kinds.map((kind) => [kind, true])),
    ...(uris === undefined ? {} : { resourceSubscriptions: uris }),
  }
  const text = JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications },
  })
  return subscribed(text, SUBSCRIPTION_ID, idText)
}

/** True when a request names what it wants to hear of. */
export const isListenRequest = (params: JsonObject): boolean =>
  isObject(member(params, 'notifications'))
