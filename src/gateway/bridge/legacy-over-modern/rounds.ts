import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import type { Frame } from '../../../core/mcp/frame-model.ts'
import { idKey } from '../../upstream/incoming.ts'
import { skimObject, textOf } from '../../upstream/skim.ts'
import { type InputRequest, type InputRound, withdrawn } from './asking.ts'

/** How often one call may ask its client for more. */
export const MAX_ROUNDS = 8
/** A person answers; longer than this nobody waits. */
export const ASK_TIMEOUT_MS = 600_000
/** How long a round waits that asks for nothing but to come again. */
export const PACE_MS = 250

type Response = Extract<Frame, { kind: 'response' }>

/** The requests of one session that wait for its client, by id. */
export type Waiting = Map<string, (response: Response) => void>

/** How a round ended: what the client answered, as the text of `inputResponses`, or why it did not. */
export interface RoundEvents {
  /** Puts a message on the stream of the call; false when nobody reads it. */
  tell(text: string): boolean
  done(responses: string | undefined): void
  failed(reason: string): void
}

/** Asks the client everything of one round at once; what it does not answer fails the round. */
export function askRound(
  round: InputRound,
  waiting: Waiting,
  events: RoundEvents,
): { stop(): void } {
  const open = new Map<string, InputRequest>()
  const answers = new Map<string, string>()
  let isOver = false

  const stop = (): void => {
    isOver = true
    clearTimeout(timer)
    for (const { id } of open.values()) waiting.delete(idKey(id))
  }
  const fail = (reason: string): void => {
    if (isOver) return
    stop()
    for (const { id } of open.values()) events.tell(withdrawn(id))
    events.failed(reason)
  }
  const finish = (): void => {
    if (isOver || open.size > 0) return
    stop()
    const parts = round.requests.map(({ key }) => `${JSON.stringify(key)}:${answers.get(key)}`)
    events.done(parts.length === 0 ? undefined : `{${parts.join(',')}}`)
  }
  const answered = (request: InputRequest, response: Response): void => {
    open.delete(request.key)
    waiting.delete(idKey(request.id))
    const result = skimObject(response.text).get('result')
    if (response.error !== undefined)
      fail(`the client refused ${request.method}: ${reasonIn(response.error)}`)
    else if (result === undefined || !isObject(response.result))
      fail(`the client answered ${request.method} with something else than an object`)
    else {
      answers.set(request.key, textOf(response.text, result))
      finish()
    }
  }

  const isAsking = round.requests.length > 0
  const timer = setTimeout(
    () => (isAsking ? fail('the client did not answer in time') : finish()),
    isAsking ? ASK_TIMEOUT_MS : PACE_MS,
  )
  for (const request of round.requests) {
    open.set(request.key, request)
    waiting.set(idKey(request.id), (response) => answered(request, response))
  }
  // All are known before the first is asked: an answer may come at once.
  for (const { text } of round.requests)
    if (!isOver && !events.tell(text)) fail('nobody is there to be asked')
  return { stop }
}

const reasonIn = (error: JsonObject): string => {
  const message: Json | undefined = member(error, 'message')
  return typeof message === 'string' ? message.slice(0, 500) : 'no reason given'
}
