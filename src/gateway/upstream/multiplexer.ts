import { GatewayError } from '../../core/errors.ts'
import { member } from '../../core/json/json.ts'
import type { Frame, FrameId, RequestFrame } from '../../core/mcp/frame-model.ts'
import { type BackoffOptions, createBackoff } from './backoff.ts'
import { modernStatus } from './error-status.ts'
import { type Incoming, idIn, objectIn } from './incoming.ts'
import { cancelled, declined } from './own-messages.ts'
import { openPeer, type Peer, type PeerSettings } from './peer.ts'
import { createReply, type Reply, refuse } from './reply.ts'
import { replaceAt, restoreAnswer, rewriteRequest, SUBSCRIPTION_ID } from './rewriting.ts'
import type { Splice } from './skim.ts'
import type { Era, ReplySink, UpstreamExchange } from './upstream.ts'

/** One process for many callers: ids and progress tokens are rewritten, and put back. */
export interface Multiplexer {
  /** `owner` is whose ids they are: a cancellation only reaches requests of the same owner. */
  request(owner: string, frame: RequestFrame, sink: ReplySink, more?: More): UpstreamExchange
  /** Writes a notification to the process, if one runs. */
  notify(owner: string, frame: Extract<Frame, { kind: 'notification' }>): void
  /** Cancels everything of an owner. */
  leave(owner: string): void
  isIdle(): boolean
  /** It runs, but has answered nothing with a result so far. */
  isUnproven(): boolean
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
}

/** What a caller may add to a request. */
export interface More {
  /** Further parts of the text to write anew. */
  readonly splices?: readonly Splice[]
  readonly session?: string
  /** Sees the answer's text before it goes back; for what is to be remembered of it. */
  onAnswer?(message: Extract<Incoming, { kind: 'response' }>): void
}

/** What a multiplexer is made of. */
export interface MultiplexerOptions {
  readonly settings: PeerSettings
  readonly era: Era
  readonly backoff: BackoffOptions
  /** True when all callers are one grant's: what can't be tied to a request may then go to any. */
  readonly isOneGrants: boolean
  /** A notification that belongs to no request. */
  onLoose(message: Extract<Incoming, { kind: 'notification' }>): void
  /** The process has ended; another is started by the next request. */
  onLost(): void
  onUse(): void
}

interface Slot {
  readonly id: number
  readonly owner: string
  readonly frame: RequestFrame
  readonly reply: Reply
  readonly text: string
  readonly idText: string
  readonly tokenText: string | undefined
  readonly onAnswer: More['onAnswer']
  timer: NodeJS.Timeout | undefined
  /** Events held for a sink that has asked to pause; undefined while it takes them. */
  held: string[] | undefined
  heldLength: number
  wasSent: boolean
}

const MAX_PENDING = 5_000
const MAX_HELD_LENGTH = 4 * 1024 * 1024
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'

/** A multiplexer; the process is started by the first request. */
export function createMultiplexer(options: MultiplexerOptions): Multiplexer {
  const { settings } = options
  const slots = new Map<number, Slot>()
  const backoff = createBackoff(options.backoff)
  let peer: Peer | undefined
  let restart: NodeJS.Timeout | undefined
  let notBefore = 0
  let nextId = 1
  let isClosed = false
  const statusOf = options.era === 'modern' ? modernStatus : undefined

  const unrouted = (message: Incoming): void =>
    settings.log('debug', {
      event: 'upstream.unrouted',
      upstream: settings.name,
      bytes: message.bytes.length,
    })

  function start(): void {
    restart = undefined
    const startedAt = settings.clock.now()
    const mine = openPeer(settings, options.era, {
      message(incoming) {
        options.onUse()
        route(incoming)
      },
      tooLarge(id) {
        const slot = typeof id === 'number' ? slots.get(id) : undefined
        if (slot === undefined) return
        forget(slot)
        slot.reply.fail(new GatewayError('upstream_broken', 'its answer is too large'), true)
      },
      lost(error, wasSent) {
        if (peer === mine) peer = undefined
        const now = settings.clock.now()
        backoff.ended(now - startedAt)
        notBefore = now + backoff.delayMs()
        const open = [...slots.values()]
        slots.clear()
        for (const slot of open) {
          clearTimeout(slot.timer)
          slot.reply.fail(error, wasSent)
        }
        options.onLost()
      },
    })
    peer = mine
    for (const slot of slots.values()) send(slot)
  }

  /** Starts the process, now or when the backoff allows. */
  function ensureStarted(): void {
    if (peer !== undefined || restart !== undefined) return
    const inMs = Math.max(0, notBefore - settings.clock.now())
    const attempt = backoff.attempt()
    if (attempt > 0)
      settings.log('info', { event: 'upstream.restarting', upstream: settings.name, inMs, attempt })
    if (inMs === 0) start()
    else restart = setTimeout(start, inMs)
  }

  function send(slot: Slot): void {
    if (peer === undefined || slot.wasSent) return
    slot.wasSent = true
    peer.write(Buffer.from(slot.text))
  }

  function forget(slot: Slot): void {
    slots.delete(slot.id)
    clearTimeout(slot.timer)
  }

  function route(message: Incoming): void {
    if (message.kind === 'response') answered(message)
    // A shared pipe does not tell whose request this is, so nobody is asked.
    else if (message.kind === 'request') peer?.write(declined(message.id))
    else notified(message)
  }

  function answered(message: Extract<Incoming, { kind: 'response' }>): void {
    const slot = slotOf(message.id)
    if (slot === undefined) {
      // The late answer of what was cancelled, or an invention.
      unrouted(message)
      return
    }
    forget(slot)
    slot.onAnswer?.(message)
    const text = restoreAnswer(message.text, slot.idText)
    for (const held of slot.held ?? []) slot.reply.event(held)
    slot.reply.answer({ text, bytes: Buffer.from(text) })
  }

  function notified(message: Extract<Incoming, { kind: 'notification' }>): void {
    const place = placeOf(message)
    if (place === undefined) {
      options.onLoose(message)
      return
    }
    const { slot, path, by } = place
    if (slot === undefined || by === undefined) {
      unrouted(message)
      return
    }
    tell(slot, path.length === 0 ? message.text : replaceAt(message.text, path, by))
    if (message.method !== 'notifications/cancelled') return
    // The server has ended a subscription.
    forget(slot)
    slot.reply.end()
  }

  /** Which request a notification is for, and what of it was rewritten; undefined when for none. */
  function placeOf({ method, params }: Extract<Incoming, { kind: 'notification' }>) {
    if (method === 'notifications/progress') {
      const slot = slotOf(idIn(params, 'progressToken'))
      return { slot, path: ['params', 'progressToken'], by: slot?.tokenText }
    }
    if (method === 'notifications/cancelled') {
      const slot = slotOf(idIn(params, 'requestId'))
      return { slot, path: ['params', 'requestId'], by: slot?.idText }
    }
    const meta = objectIn(params, '_meta')
    if (Object.hasOwn(meta, SUBSCRIPTION_ID)) {
      const slot = slotOf(idIn(meta, SUBSCRIPTION_ID))
      return { slot, path: ['params', '_meta', SUBSCRIPTION_ID], by: slot?.idText }
    }
    if (method !== 'notifications/message' || !options.isOneGrants) return undefined
    const slot = [...slots.values()].findLast((s) => s.wasSent && asksForLog(s.frame))
    return { slot, path: [], by: '' }
  }

  const slotOf = (id: FrameId | undefined): Slot | undefined =>
    typeof id === 'number' ? slots.get(id) : undefined

  /** One slow reader must not hold up the others: its events are held, up to a bound. */
  function tell(slot: Slot, text: string): void {
    if (slot.held !== undefined) {
      slot.held.push(text)
      slot.heldLength += text.length
      if (slot.heldLength <= MAX_HELD_LENGTH) return
      abandon(slot, 'its reader is too slow')
      slot.reply.fail(new GatewayError('too_busy', 'the stream is read too slowly'), true)
      return
    }
    if (slot.reply.event(text)) return
    slot.held = []
    slot.reply.onDrain(() => drain(slot))
  }

  function drain(slot: Slot): void {
    const held = slot.held ?? []
    slot.held = undefined
    slot.heldLength = 0
    if (slots.has(slot.id)) for (const text of held) tell(slot, text)
  }

  /** Stops waiting for a request and lets the process know. */
  function abandon(slot: Slot, reason: string): void {
    if (slots.get(slot.id) !== slot) return
    forget(slot)
    if (slot.wasSent && slot.frame.method !== 'initialize') peer?.write(cancelled(slot.id, reason))
  }

  function request(
    owner: string,
    frame: RequestFrame,
    sink: ReplySink,
    more: More = {},
  ): UpstreamExchange {
    const refusal = isClosed
      ? new GatewayError('upstream_unreachable', 'the gateway is stopping')
      : slots.size >= MAX_PENDING
        ? new GatewayError('too_busy')
        : peer?.refusal()
    if (refusal !== undefined) {
      refuse(sink, refusal)
      return { cancel() {} }
    }
    options.onUse()
    const id = nextId++
    const slot: Slot = {
      id,
      owner,
      frame,
      reply: createReply(sink, more.session, statusOf),
      ...rewriteRequest(frame.text, id, more.splices),
      onAnswer: more.onAnswer,
      timer: undefined,
      held: undefined,
      heldLength: 0,
      wasSent: false,
    }
    slots.set(id, slot)
    // A subscription is open as long as somebody listens.
    if (frame.method !== 'subscriptions/listen')
      slot.timer = setTimeout(() => {
        abandon(slot, 'it took too long')
        slot.reply.fail(new GatewayError('upstream_timeout'), slot.wasSent)
      }, settings.requestTimeoutMs)
    ensureStarted()
    send(slot)
    return {
      cancel() {
        slot.reply.drop()
        abandon(slot, 'the caller has gone')
      },
    }
  }

  return {
    request,
    notify(owner, frame) {
      if (frame.method !== 'notifications/cancelled') {
        peer?.write(Buffer.from(frame.text))
        return
      }
      const cancels = idIn(frame.params, 'requestId')
      const slot = [...slots.values()].findLast((s) => s.owner === owner && s.frame.id === cancels)
      if (slot === undefined || slot.frame.method === 'initialize') return
      const text = replaceAt(frame.text, ['params', 'requestId'], slot.id)
      forget(slot)
      if (slot.wasSent) peer?.write(Buffer.from(text))
      slot.reply.end()
    },
    leave(owner) {
      for (const slot of [...slots.values()].filter((s) => s.owner === owner)) {
        abandon(slot, 'the session has ended')
        slot.reply.end()
      }
    },
    isIdle: () => slots.size === 0,
    isUnproven: () => peer?.hasAnswered() === false,
    signal: (signal) => peer?.signal(signal),
    async close() {
      isClosed = true
      clearTimeout(restart)
      const waiting = [...slots.values()].filter((s) => !s.wasSent)
      for (const slot of waiting) {
        forget(slot)
        slot.reply.fail(new GatewayError('upstream_unreachable', 'the gateway is stopping'), false)
      }
      await peer?.close()
    },
  }
}

const asksForLog = (frame: RequestFrame): boolean =>
  member(objectIn(frame.params, '_meta'), LOG_LEVEL) !== undefined
