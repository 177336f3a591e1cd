import { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Frame, FrameId, RequestFrame } from '../../core/mcp/frame-model.ts'
import { resume } from './client-reply.ts'
import { type Incoming, idIn, idKey, objectIn } from './incoming.ts'
import { createKeptReply, type Kept } from './kept-reply.ts'
import { cancelled, declined } from './own-messages.ts'
import type { PeerEvents } from './peer.ts'
import { acknowledge, createReply, type Reply, refuse } from './reply.ts'
import type { ReplySink, UpstreamExchange } from './upstream.ts'

/** One message on its way to a server. */
export interface Outgoing {
  readonly bytes: Uint8Array
  readonly kind: Frame['kind']
  /** Further request headers, for a channel that has any: name, value, … */
  readonly headers?: readonly string[]
  /** The server has it. Told at most once, as is `refused`; never both. */
  taken?(): void
  refused?(error: GatewayError, wasSent: boolean): void
}

/** The one way to a server that carries all of a session: the pipes of a process, or an event stream. */
export interface SessionChannel {
  send(message: Outgoing): void
  /** The error for a message that can't be taken now; undefined when it can. */
  refusal(): GatewayError | undefined
  /** Stops reading, until `resume`. */
  pause(): void
  resume(): void
  signal(signal: NodeJS.Signals): void
  /** Ends it; `lost` is told once it has ended. */
  close(): Promise<void>
}

/** What a message comes with. */
export interface Around {
  /** Further request headers, for a channel that has any: name, value, … */
  readonly headers?: readonly string[]
  /** The revision of a client that may lose the stream of the answer and come back for it. */
  readonly returning?: string | undefined
}

/** One legacy session with a channel of its own, on which frames go as they came. */
export interface ChannelSession {
  readonly id: string
  readonly grantId: string
  exchange(frame: Frame, bytes: Uint8Array, sink: ReplySink, around?: Around): UpstreamExchange
  /** Opens the stream of what belongs to no request; with the id of an event, reads on behind it. */
  listen(sink: ReplySink, lastEventId?: string): UpstreamExchange
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
  isIdle(): boolean
}

/** What a session is made of. */
export interface ChannelSessionOptions {
  readonly id: string
  readonly grantId: string
  readonly settings: {
    readonly name: string
    readonly log: Log
    /** How long a request may take in all. */
    readonly requestTimeoutMs: number
  }
  /** Where streams are kept for clients that lose them; absent where none are kept. */
  readonly kept?: Kept | undefined
  open(events: PeerEvents): SessionChannel
  /** The session is over, though its channel may still be ending. */
  onOver(): void
  /** The channel has ended. */
  onEnded(): void
  /** Something went through. */
  onUse(): void
}

type Message = Pick<Required<Outgoing>, 'bytes' | 'headers'>
type RequestReply = Omit<Reply, 'begin'>

/** What a server sends that is no answer. */
type Unasked = Exclude<Incoming, { kind: 'response' }>

interface Pending {
  readonly reply: RequestReply
  readonly token: FrameId | undefined
  readonly timer: NodeJS.Timeout
  readonly isInitialize: boolean
  readonly method: string
}

/**
 * Which requests a server may speak in between of. Lists are none: they are short, and the gateway
 * itself asks for some. While `initialize` waits, only what waits for the client goes out.
 */
const mayCarry = (method: string, kind: 'request' | 'notification'): boolean =>
  method === 'initialize' ? kind === 'request' : !method.endsWith('/list')

/** Messages kept for a session whose listen stream is not open, or does not read. */
const MAX_QUEUED = 100
/** Requests of one session in flight at once. */
const MAX_PENDING = 1_000
/** Requests of the server that may wait for the client's response. */
const MAX_ASKED = 1_000

/** Opens a channel for one session. The first exchange must be `initialize`. */
export function openChannelSession(options: ChannelSessionOptions): ChannelSession {
  const { settings } = options
  /** Requests in flight, oldest first, by id. */
  const pending = new Map<string, Pending>()
  /** Ids of the server's requests that wait for the client's response. */
  const asked = new Set<string>()
  const stalled = new Set<RequestReply>()
  let queue: Unasked[] = []
  let listener: Reply | undefined
  let isListenerStalled = false

  const channel = options.open({
    message: (incoming) => {
      options.onUse()
      if (incoming.kind === 'response') answered(incoming)
      else route(incoming)
    },
    tooLarge: (id) => {
      const found = id === undefined ? undefined : pending.get(idKey(id))
      if (id === undefined || found === undefined) return
      forget(id, found)
      found.reply.fail(new GatewayError('upstream_broken', 'its answer is too large'), true)
    },
    lost: (error, wasSent) => {
      const open = [...pending.values()]
      pending.clear()
      for (const one of open) {
        clearTimeout(one.timer)
        one.reply.fail(error, wasSent)
      }
      listener?.end()
      listener = undefined
      over()
      options.onEnded()
    },
  })

  function over(): void {
    options.kept?.log.leave(options.id)
    options.onOver()
  }
  const tell = (bytes: Uint8Array, kind: Frame['kind']): void => channel.send({ bytes, kind })
  const unstall = (reply: RequestReply): void => {
    if (stalled.delete(reply) && stalled.size === 0) channel.resume()
  }
  const forget = (id: FrameId, one: Pending): void => {
    pending.delete(idKey(id))
    clearTimeout(one.timer)
    unstall(one.reply)
  }

  function answered(message: Extract<Incoming, { kind: 'response' }>): void {
    const one = pending.get(idKey(message.id))
    if (one === undefined) {
      const bytes = message.bytes.length
      settings.log('warn', { event: 'upstream.babbled', upstream: settings.name, bytes })
      return
    }
    forget(message.id, one)
    one.reply.answer(message)
    // A refused initialize opens no session.
    if (one.isInitialize && message.isError) giveUp()
  }

  function route(message: Unasked): void {
    if (message.kind === 'request') {
      // The oldest is the least likely to be answered still.
      if (asked.size >= MAX_ASKED) for (const oldest of [...asked].slice(0, 1)) asked.delete(oldest)
      asked.add(idKey(message.id))
    }
    const open = [...pending.values()].filter((one) => one.reply.isOpen())
    const token =
      message.method === 'notifications/progress'
        ? idIn(message.params, 'progressToken')
        : undefined
    const target =
      token === undefined
        ? open.findLast((one) => mayCarry(one.method, message.kind))
        : open.find((one) => one.token === token)
    if (target !== undefined) toRequest(target.reply, message.text)
    // Progress of what has been answered is of no use to anybody.
    else if (token === undefined) toListener(message)
  }

  function toRequest(reply: RequestReply, text: string): void {
    if (reply.event(text) || stalled.has(reply)) return
    stalled.add(reply)
    channel.pause()
    reply.onDrain(() => unstall(reply))
  }

  function toListener(message: Unasked): void {
    if (listener !== undefined && !isListenerStalled) {
      isListenerStalled = !listener.event(message.text)
      if (isListenerStalled) listener.onDrain(sendQueued)
      return
    }
    queue.push(message)
    const dropped = queue.length > MAX_QUEUED ? queue.shift() : undefined
    if (dropped === undefined) return
    const bytes = dropped.bytes.length
    settings.log('warn', { event: 'upstream.unrouted', upstream: settings.name, bytes })
    // Nobody will ever see this request, so nobody should wait for its answer.
    if (dropped.kind === 'request' && asked.delete(idKey(dropped.id)))
      tell(declined(dropped.id), 'response')
  }

  function sendQueued(): void {
    isListenerStalled = false
    const waiting = queue
    queue = []
    for (const message of waiting) toListener(message)
  }

  function replyTo(
    frame: RequestFrame,
    sink: ReplySink,
    protocolVersion: string | undefined,
  ): RequestReply {
    const { id: owner, kept } = options
    if (frame.method === 'initialize') return createReply(sink, owner)
    if (kept === undefined || protocolVersion === undefined) return createReply(sink)
    return createKeptReply(sink, frame, { owner, protocolVersion, ...kept })
  }

  function request(
    frame: RequestFrame,
    { bytes, headers }: Message,
    sink: ReplySink,
    returning: string | undefined,
  ): UpstreamExchange {
    const key = idKey(frame.id)
    const refusal = pending.has(key)
      ? new GatewayError('frame_invalid', 'a request with this id is in flight already')
      : pending.size >= MAX_PENDING
        ? new GatewayError('too_busy')
        : undefined
    if (refusal !== undefined) {
      refuse(sink, refusal)
      return { cancel() {} }
    }
    const isInitialize = frame.method === 'initialize'
    const reply = replyTo(frame, sink, returning)
    const expire = (): void => {
      const one = pending.get(key)
      if (one === undefined) return
      forget(frame.id, one)
      reply.fail(new GatewayError('upstream_timeout'), true)
      if (isInitialize) giveUp()
      else tell(cancelled(frame.id, 'it took too long'), 'notification')
    }
    const timer = setTimeout(expire, settings.requestTimeoutMs)
    const token = idIn(objectIn(frame.params, '_meta'), 'progressToken')
    pending.set(key, { reply, token, timer, isInitialize, method: frame.method })
    channel.send({
      bytes,
      headers,
      kind: 'request',
      refused(error, wasSent) {
        const one = pending.get(key)
        if (one?.reply !== reply) return
        forget(frame.id, one)
        reply.fail(error, wasSent)
        if (isInitialize) giveUp()
      },
    })
    return {
      // The id stays taken until its answer has come and was dropped.
      cancel() {
        reply.drop()
        unstall(reply)
        if (isInitialize && pending.has(key)) giveUp()
      },
    }
  }

  function pass(
    frame: Exclude<Frame, RequestFrame>,
    { bytes, headers }: Message,
    sink: ReplySink,
  ): UpstreamExchange {
    const cancels =
      frame.kind === 'notification' && frame.method === 'notifications/cancelled'
        ? idIn(frame.params, 'requestId')
        : undefined
    const ended = cancels === undefined ? undefined : pending.get(idKey(cancels))
    // What is cancelled need not be answered, so the reply ends here; the id stays taken.
    if (ended !== undefined && !ended.isInitialize) {
      ended.reply.end()
      unstall(ended.reply)
    }
    if (frame.kind === 'response' && !asked.delete(idKey(frame.id)))
      refuse(sink, new GatewayError('response_unexpected'))
    else
      channel.send({
        bytes,
        headers,
        kind: frame.kind,
        taken: () => acknowledge(sink),
        refused: (error, wasSent) => queueMicrotask(() => sink.fail(error, wasSent)),
      })
    return { cancel() {} }
  }

  const giveUp = (): void => void close().catch(() => {})

  async function close(): Promise<void> {
    over()
    await channel.close()
  }

  return {
    id: options.id,
    grantId: options.grantId,
    signal: channel.signal,
    close,
    // An open listen stream is a client that is there.
    isIdle: () => pending.size === 0 && listener === undefined,
    exchange(frame, bytes, sink, { headers = [], returning } = {}) {
      options.onUse()
      const refusal = channel.refusal()
      if (refusal !== undefined) {
        refuse(sink, refusal)
        return { cancel() {} }
      }
      const message = { bytes, headers }
      return frame.kind === 'request'
        ? request(frame, message, sink, returning)
        : pass(frame, message, sink)
    },
    listen(sink, lastEventId) {
      options.onUse()
      const lost =
        lastEventId === undefined ? undefined : options.kept?.log.find(options.id, lastEventId)
      if (lost !== undefined) return resume(lost.stream, lost.number, sink)
      listener?.end()
      const mine = createReply(sink)
      listener = mine
      // Later, so that the caller holds the exchange before its sink is called.
      queueMicrotask(() => {
        if (listener !== mine) return
        mine.begin()
        sendQueued()
      })
      return {
        cancel() {
          mine.drop()
          if (listener === mine) listener = undefined
        },
      }
    },
  }
}
