import { LISTED_KINDS } from '../../core/mcp/capabilities.ts'
import type { Caller, Gate, OpenServer } from '../gate.ts'
import { grantNow } from '../grant-now.ts'
import { changeMethod } from '../list-changes.ts'
import type { LiveSession } from '../sessions.ts'
import type { MessageWriter } from './message-writer.ts'

/** Whose channel it is, and where it leads. */
export interface ChannelOptions {
  readonly server: OpenServer
  readonly session: LiveSession
  readonly writer: MessageWriter
}

/** Tells the client of a session, over its one channel, when its lists change. Gives what ends that. */
export function openChannel(gate: Gate, { server, session, writer }: ChannelOptions): () => void {
  const grant = gate.grantOf(session.grantId)
  if (grant === undefined) return () => {}
  const caller: Caller = {
    grant,
    server,
    era: 'legacy',
    protocolVersion: session.protocolVersion,
    session,
    client: session.client,
    headers: [],
    mirrors: undefined,
  }
  /** Kinds that wait for a reader that takes no more: of each, one message is enough. */
  const waiting = new Set<string>()
  const send = (): void => {
    const methods = [...waiting]
    waiting.clear()
    for (const method of methods) writer.write(JSON.stringify({ jsonrpc: '2.0', method }))
  }
  return gate.channels.open(gate, {
    caller,
    kinds: LISTED_KINDS,
    reader: session,
    grant: () => grantNow(gate, caller),
    tell(kind) {
      const isFirst = waiting.size === 0
      waiting.add(changeMethod(kind))
      if (!writer.isFull()) send()
      else if (isFirst) writer.onDrain(send)
    },
  })
}
