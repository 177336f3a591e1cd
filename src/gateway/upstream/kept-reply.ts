import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import { errorReply } from '../../core/mcp/reply.ts'
import { ClientReply, keeping } from './client-reply.ts'
import type { EventLog } from './event-log.ts'
import type { Reply } from './reply.ts'
import type { ReplySink } from './upstream.ts'

/** Where the streams of a session are kept for a client that loses one. */
export interface Kept {
  readonly log: EventLog
  readonly primeAfterMs: number
}

/** What goes back for one request of a client that may lose the stream and come back for it. */
export function createKeptReply(
  sink: ReplySink,
  { id, method }: RequestFrame,
  { owner, protocolVersion, log, primeAfterMs }: Kept & { owner: string; protocolVersion: string },
): Omit<Reply, 'begin'> {
  const reply = new ClientReply(sink, {
    takesEvents: true,
    ...keeping(method, protocolVersion, { primeAfterMs, open: () => log.open(owner) }),
    errorText: (error) => errorReply(id, error, { isModern: false, protocolVersion }),
  })
  return {
    isOpen: () => reply.isHeard,
    event: (text) => reply.event(text),
    answer: (message) => reply.answer(message),
    end: () => reply.end(),
    fail: (error, wasSent) => reply.fail(error, wasSent),
    // Its connection has gone: what still comes is kept, if the client knows where to come back to.
    drop: () => reply.leave(),
    onDrain: (resume) => reply.onDrain(resume),
  }
}
