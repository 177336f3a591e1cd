import { GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import type { Reader } from '../../core/mcp/reply.ts'
import { type Caller, type Gate, idOf, type OpenServer } from '../gate.ts'
import { Exchange } from '../pipeline.ts'
import type { LiveSession } from '../sessions.ts'
import type { Era } from '../upstream/upstream.ts'
import { openChannel } from './dialogue-channel.ts'
import { keepListening } from './dialogue-listen.ts'
import { DialogueSink } from './dialogue-sink.ts'
import { askableIn, clientOf } from './era.ts'
import type { MessageWriter } from './message-writer.ts'

/** What a dialogue is made of. */
export interface DialogueOptions {
  readonly gate: Gate
  readonly server: OpenServer
  /** The one way to the client, for answers and for what the server says by itself. */
  readonly writer: MessageWriter
  /** Something has ended: there may be room for more. */
  changed(): void
}

/** Who sends a frame, as far as the frame and the session do not say it. */
export type Sender = Pick<Caller, 'grant' | 'server' | 'headers'>

/** Told once, when nothing more will come of a frame; with the error that ended it. */
export type Over = (error: GatewayError | undefined) => void

/** One client that gets everything over one channel, and the session that it holds there. */
export interface Dialogue {
  /** Runs a frame of the era with sessions, once `initialize` has its answer. */
  accept(frame: Frame, sender: Sender, over?: Over): void
  /** Runs a frame for a caller that is known as a whole. */
  run(frame: Frame, caller: Caller, over?: Over): void
  session(): LiveSession | undefined
  /** How the client wants to be spoken to. */
  reader(): Reader
  /** Frames in flight and held. */
  size(): number
  /** Ends what has no end of its own. */
  endStreams(): void
  /** Drops what is in flight and ends the session. */
  close(): void
}

const NOBODY = { name: '', version: '' }
const NEWEST = '2025-11-25'

interface InFlight {
  readonly frame: Frame
  readonly era: Era
  readonly exchange: Exchange
  readonly sink: DialogueSink
}

/** Begins a dialogue; the client says `initialize` first. */
export function createDialogue(options: DialogueOptions): Dialogue {
  const { gate, server, writer } = options
  const inFlight = new Set<InFlight>()
  /** Frames behind an `initialize` that has no answer yet. */
  let held: { readonly next: () => void; readonly over: Over }[] = []
  let isInitializing = false
  let session: LiveSession | undefined
  let client = NOBODY
  let listening: { stop(): void } | undefined
  let isClosed = false

  function accept(frame: Frame, sender: Sender, over: Over = () => {}): void {
    if (isClosed) {
      over(new GatewayError('session_unknown'))
      return
    }
    if (isInitializing) {
      held.push({ next: () => accept(frame, sender, over), over })
      return
    }
    if (frame.kind === 'request' && frame.method === 'initialize') {
      isInitializing = true
      client = clientOf(member(frame.params, 'clientInfo'))
      endSession()
    }
    const protocolVersion = versionFor(frame)
    run(
      frame,
      { ...sender, mirrors: undefined, era: 'legacy', protocolVersion, session, client },
      over,
    )
  }

  const versionFor = (frame: Frame): string => {
    const asked = frame.kind === 'request' ? member(frame.params, 'protocolVersion') : undefined
    return session?.protocolVersion ?? (typeof asked === 'string' ? asked : NEWEST)
  }

  function run(frame: Frame, caller: Caller, over: Over = () => {}): void {
    if (frame.kind === 'notification' && frame.method === 'notifications/cancelled') {
      const cancelled = find(member(frame.params, 'requestId'))
      if (cancelled !== undefined) forgo(cancelled)
      // The upstream is told by the exchange itself in the stateless era.
      if ((cancelled?.era ?? caller.era) === 'modern') {
        over(undefined)
        return
      }
    }
    const sink = new DialogueSink({
      frame,
      reader: { isModern: caller.era === 'modern', protocolVersion: caller.protocolVersion },
      writer,
      openSession: (upstream, protocolVersion) => {
        session = {
          id: gate.newId(),
          server: caller.server.entry.name,
          grantId: caller.grant.id,
          upstream,
          protocolVersion,
          client,
          askable: askableIn(frame),
          asked: new Set(),
        }
        return undefined
      },
      over(error) {
        inFlight.delete(one)
        over(error)
        afterwards(frame)
      },
    })
    const one: InFlight = {
      frame,
      era: caller.era,
      sink,
      exchange: new Exchange(gate, caller, frame, sink),
    }
    inFlight.add(one)
    // `run` turns everything thrown into an answer.
    void one.exchange.run().catch(() => sink.fail(new GatewayError('internal')))
  }

  function afterwards(frame: Frame): void {
    if (frame.kind === 'request' && frame.method === 'initialize') {
      isInitializing = false
      const waiting = held
      held = []
      for (const { next } of waiting) next()
    }
    if (frame.kind === 'notification' && frame.method === 'notifications/initialized')
      if (session !== undefined && listening === undefined && !isClosed) listening = listen(session)
    options.changed()
  }

  /** The session's messages that belong to no request, the server's and the gateway's own. */
  function listen(open: LiveSession): { stop(): void } {
    const kept = keepListening(server, open, writer)
    const close = openChannel(gate, { server, session: open, writer })
    return {
      stop() {
        close()
        kept.stop()
      },
    }
  }

  const find = (id: unknown): InFlight | undefined =>
    [...inFlight].find(({ frame }) => frame.kind === 'request' && idOf(frame) === id)

  /** The client wants no answer: nothing more is executed for it, and nothing written. */
  function forgo(one: InFlight): void {
    // `initialize` can't be cancelled.
    if (one.frame.kind === 'request' && one.frame.method === 'initialize') return
    one.sink.isForgone = true
    one.exchange.cancel()
    one.sink.fail(new GatewayError('internal', 'cancelled'))
  }

  function endSession(): void {
    listening?.stop()
    listening = undefined
    const old = session
    session = undefined
    if (old === undefined) return
    const { upstream, protocolVersion, grantId } = old
    const request = {
      era: 'legacy',
      protocolVersion,
      session: upstream,
      grantId,
      headers: [],
    } as const
    void server.upstream.endSession(request).catch(() => {})
  }

  return {
    accept,
    run,
    session: () => session,
    reader: () => ({ isModern: false, protocolVersion: session?.protocolVersion ?? NEWEST }),
    size: () => inFlight.size + held.length,
    endStreams() {
      for (const { frame, exchange } of [...inFlight])
        if (frame.kind === 'request' && frame.method === 'subscriptions/listen') exchange.finish()
    },
    close() {
      isClosed = true
      for (const { over } of held.splice(0)) over(new GatewayError('session_unknown'))
      for (const one of inFlight) {
        one.exchange.finish()
        one.sink.fail(new GatewayError('upstream_lost', 'the gateway is stopping'))
      }
      endSession()
    },
  }
}
