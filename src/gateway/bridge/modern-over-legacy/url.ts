import { GatewayError } from '../../../core/errors.ts'
import { isObject, type Json, member } from '../../../core/json/json.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import type { FaceBounds } from './bounds.ts'
import { digestOf, inputRequired } from './call.ts'
import type { Leg } from './leg.ts'
import type { ParkingLot } from './parking.ts'
import { missingCapability } from './questions.ts'
import { type BridgeSession, ELICITED } from './session.ts'

/** A page that a client must open before the server takes its call. */
interface Page {
  readonly id: string
  readonly url: string
  readonly message: string
}

/** Clients give up after ten rounds: this is the last that still has an answer. */
const MAX_ROUNDS = 8
const MAX_PAGES = 16

/** What a call that was refused for want of a page goes on with. */
export interface UrlMeans {
  readonly parking: ParkingLot
  readonly bounds: FaceBounds
  readonly session: BridgeSession
  /** Calls again; `rounds` is how often the client has been back. */
  again(leg: Leg, pages: UrlRound): void
}

/** How far the client of a call is. */
export interface UrlRound {
  readonly rounds: number
  /** Pages that it was asked to open. */
  readonly shown: ReadonlySet<string>
}

/**
 * The server's error for a call that needs a page opened first becomes a question of that call. When
 * the client is back, the call is made anew: the server has not begun it.
 */
export function requirePages(
  leg: Leg,
  answer: string,
  { rounds, shown }: UrlRound,
  means: UrlMeans,
): void {
  const pages = pagesOf(answer)
  const can = member(means.session.client.capabilities, 'elicitation')
  if (!isObject(can) || member(can, 'url') === undefined) {
    leg.refuse(missingCapability({ elicitation: { url: {} } }))
    return
  }
  if (pages.length === 0 || rounds >= MAX_ROUNDS) {
    leg.unanswered('the server still waits for a page to be completed')
    return
  }
  const done = completion(means, new Set(pages.map(({ id }) => id)))
  const round = { rounds: rounds + 1, shown: new Set([...shown, ...pages.map(({ id }) => id)]) }
  const handle = means.parking.put({
    grantId: means.session.grantId,
    digest: digestOf(leg.frame),
    resume(next) {
      if (isDeclined(next)) {
        done.stop()
        next.unanswered('the page that the server needs was not opened')
        return
      }
      next.workedOnBy(done.stop)
      done.andThen(() => means.again(next, round))
    },
    expire: done.stop,
  })
  if (handle === undefined) {
    done.stop()
    leg.fail(new GatewayError('too_busy', 'too many calls wait for their clients'), false)
    return
  }
  // A page that was shown already is only waited for.
  const fresh = pages.filter(({ id }) => !shown.has(id))
  leg.answer(inputRequired(leg, fresh.length === 0 ? undefined : requestsFor(fresh), handle))
}

const requestsFor = (pages: readonly Page[]): string =>
  JSON.stringify(
    Object.fromEntries(
      pages.map(({ url, message }, i) => [
        `page-${i + 1}`,
        { method: 'elicitation/create', params: { mode: 'url', url, message } },
      ]),
    ),
  )

function pagesOf(answer: string): readonly Page[] {
  const message = parseJson(answer) as { error?: { data?: { elicitations?: unknown } } }
  const { elicitations } = message.error?.data ?? {}
  if (!Array.isArray(elicitations)) return []
  return elicitations.slice(0, MAX_PAGES).flatMap((one: unknown) => {
    if (!isObject(one)) return []
    const { elicitationId, url, message: text } = one
    const isPage = typeof url === 'string' && typeof text === 'string'
    return isPage ? [{ id: idOf(elicitationId, url), url, message: text }] : []
  })
}

const idOf = (id: Json | undefined, url: string): string => (typeof id === 'string' ? id : url)

/** True when the client says that it opened none of what it was asked to. */
function isDeclined(leg: Leg): boolean {
  const responses = member(leg.frame.params, 'inputResponses')
  if (!isObject(responses)) return false
  return Object.values(responses).some(
    (one) => isObject(one) && ['decline', 'cancel'].includes(String(member(one, 'action'))),
  )
}

/** Waits until the server says that all of these are done, or for as long as a client may be held. */
function completion({ session, bounds }: UrlMeans, ids: Set<string>) {
  let waiting: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    leave()
    clearTimeout(timer)
  }
  const go = (): void => {
    stop()
    waiting?.()
    waiting = undefined
  }
  const leave = session.subscribe(({ method, params }) => {
    if (method !== ELICITED) return
    ids.delete(String(member(params, 'elicitationId')))
    if (ids.size === 0 && waiting !== undefined) go()
  }, go)
  // The server may only say so on the stream that belongs to no request.
  void session.listen()
  return {
    stop,
    andThen(next: () => void): void {
      waiting = next
      if (ids.size === 0 || session.isLost) go()
      else timer = setTimeout(go, bounds.pageMs)
    },
  }
}
