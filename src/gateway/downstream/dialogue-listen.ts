import type { GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import type { OpenServer } from '../gate.ts'
import { noteChange } from '../list-changes.ts'
import { type LiveSession, rememberAsked } from '../sessions.ts'
import type { Head, ReplySink, UpstreamEvent, UpstreamExchange } from '../upstream/upstream.ts'
import type { MessageWriter } from './message-writer.ts'
import { lineOf } from './stdio-lines.ts'

const MIN_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000

/**
 * Keeps the stream of messages that belong to no request open for a session, since a client over
 * stdio has no way to ask for it. Gives what ends it.
 */
export function keepListening(
  server: OpenServer,
  session: LiveSession,
  writer: MessageWriter,
): { stop(): void } {
  let isOver = false
  let waitMs = MIN_WAIT_MS
  let timer: NodeJS.Timeout | undefined
  let exchange: UpstreamExchange | undefined
  /** The last event that the server named: it sends again what came after it, if it can. */
  let lastEventId: string | undefined

  /** Servers may end the stream at any time; one that refuses it (405) or fails is let be. */
  const again = (isRefused: boolean): void => {
    exchange = undefined
    if (isOver || isRefused) return
    timer = setTimeout(open, waitMs)
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
  }

  function open(): void {
    let status = 0
    const sink: ReplySink = {
      head(head: Head) {
        status = head.kind === 'events' ? head.status : 405
      },
      chunk: () => true,
      event(event: UpstreamEvent) {
        waitMs = MIN_WAIT_MS
        lastEventId = event.id ?? lastEventId
        return pass(event)
      },
      end: () => again(status >= 400),
      fail: (error: GatewayError) =>
        again(error.code === 'session_unknown' || error.code === 'verb_refused'),
      onDrain: (resume) => writer.onDrain(resume),
    }
    exchange = server.upstream.listen(
      {
        era: 'legacy',
        protocolVersion: session.protocolVersion,
        session: session.upstream,
        grantId: session.grantId,
        headers: lastEventId === undefined ? [] : ['last-event-id', lastEventId],
      },
      sink,
    )
  }

  function pass({ data }: UpstreamEvent): boolean {
    const made = data === '' ? undefined : lineOf(data)
    if (made === undefined || isOver) return true
    const method = member(made.message, 'method')
    // An answer belongs on the stream of its request.
    if (typeof method !== 'string') return true
    const id = member(made.message, 'id')
    noteChange(server, method)
    if (typeof id === 'string' || typeof id === 'number') rememberAsked(session, id)
    return writer.write(made.line)
  }

  open()
  return {
    stop() {
      isOver = true
      clearTimeout(timer)
      exchange?.cancel()
    },
  }
}
