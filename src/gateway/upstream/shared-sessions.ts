import { GatewayError } from '../../core/errors.ts'
import type { Frame, RequestFrame } from '../../core/mcp/frame-model.ts'
import type { Incoming } from './incoming.ts'
import { createMultiplexer, type MultiplexerOptions } from './multiplexer.ts'
import { acknowledge, createReply, type Reply, refuse } from './reply.ts'
import { restoreAnswer } from './rewriting.ts'
import { type Splice, skimPath } from './skim.ts'
import type { ReplySink, UpstreamExchange } from './upstream.ts'

/**
 * Legacy sessions that share one process. The process is initialized once; every further session is
 * answered with that result. Nothing that the server sends unasked says whose session it is for, so
 * its requests are declined, and of its notifications only the changes of lists go out, to all.
 */
export interface SharedSessions {
  initialize(id: string, grantId: string, frame: RequestFrame, sink: ReplySink): UpstreamExchange
  has(id: string, grantId: string): boolean
  exchange(id: string, frame: Frame, sink: ReplySink): UpstreamExchange
  listen(id: string, sink: ReplySink): UpstreamExchange
  end(id: string): void
  isIdle(): boolean
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
}

interface Waiting {
  readonly id: string
  readonly grantId: string
  readonly frame: RequestFrame
  readonly reply: Reply
}

interface Session {
  readonly grantId: string
  listener: Reply | undefined
}

const MAX_WAITING = 1_000
/** Sessions remembered; beyond it the oldest that does not listen must initialize again. */
const MAX_SESSIONS = 10_000
const LIST_CHANGED = /^notifications\/(?:tools|prompts|resources)\/list_changed$/
const none: UpstreamExchange = { cancel() {} }

/** Sessions over one process, which the first `initialize` starts. */
export function createSharedSessions(
  options: Omit<MultiplexerOptions, 'era' | 'isOneGrants' | 'onLoose' | 'onLost'>,
): SharedSessions {
  const sessions = new Map<string, Session>()
  /** Sessions whose `initialize` waits for the first one's answer. */
  let waiting: Waiting[] = []
  let isInitializing = false
  /** The result of `initialize`, as the server wrote it. */
  let cached: string | undefined
  let isInitialized = false

  const pipe = createMultiplexer({
    ...options,
    era: 'legacy',
    isOneGrants: false,
    onLoose(message) {
      if (!LIST_CHANGED.test(message.method)) return
      for (const session of sessions.values()) session.listener?.event(message.text)
    },
    onLost() {
      for (const session of sessions.values()) session.listener?.end()
      sessions.clear()
      cached = undefined
      isInitialized = false
    },
  })

  function answerFromCache(one: Waiting, result: string): void {
    if (sessions.size >= MAX_SESSIONS)
      for (const [id, session] of sessions)
        if (session.listener === undefined) {
          sessions.delete(id)
          break
        }
    sessions.set(one.id, { grantId: one.grantId, listener: undefined })
    const idSpan = skimPath(one.frame.text, 'id')
    const idText = one.frame.text.slice(idSpan?.start, idSpan?.end)
    const text = `{"jsonrpc":"2.0","id":${idText},"result":${result}}`
    one.reply.answer({ text, bytes: Buffer.from(text) })
  }

  /** The first `initialize` has ended: with a result for all, or else the next one is sent. */
  function settle(message: Extract<Incoming, { kind: 'response' }> | undefined): void {
    isInitializing = false
    const span = message === undefined ? undefined : skimPath(message.text, 'result')
    if (message !== undefined && span !== undefined)
      cached = message.text.slice(span.start, span.end)
    const ready = waiting
    waiting = []
    for (const one of ready)
      if (cached !== undefined) answerFromCache(one, cached)
      else sendFirst(one)
  }

  function sendFirst(one: Waiting): void {
    if (isInitializing) return void waiting.push(one)
    isInitializing = true
    const capabilities = skimPath(one.frame.text, 'params', 'capabilities')
    // No session's client can be asked over a shared pipe, so the server is told of no client
    // that could be.
    const splices: readonly Splice[] =
      capabilities === undefined ? [] : [{ ...capabilities, text: '{}' }]
    const sink: ReplySink = {
      head() {},
      chunk: () => true,
      event: (event) => one.reply.event(event.data),
      end() {},
      fail(error, wasSent) {
        settle(undefined)
        one.reply.fail(error, wasSent)
      },
      onDrain() {},
    }
    pipe.request('', one.frame, sink, {
      splices,
      onAnswer(message) {
        settle(message)
        if (cached !== undefined) answerFromCache(one, cached)
        else one.reply.answer(restored(message.text, one.frame))
      },
    })
  }

  function notify(id: string, frame: Extract<Frame, { kind: 'notification' }>): void {
    switch (frame.method) {
      case 'notifications/initialized':
        if (!isInitialized) pipe.notify(id, frame)
        isInitialized = true
        return
      // Of capabilities that the server was not told of.
      case 'notifications/roots/list_changed':
      case 'notifications/progress':
        return
      default:
        pipe.notify(id, frame)
    }
  }

  return {
    has: (id, grantId) => sessions.get(id)?.grantId === grantId,
    initialize(id, grantId, frame, sink) {
      if (waiting.length >= MAX_WAITING) {
        refuse(sink, new GatewayError('too_busy'))
        return none
      }
      const reply = createReply(sink, id)
      const one: Waiting = { id, grantId, frame, reply }
      queueMicrotask(() => (cached === undefined ? sendFirst(one) : answerFromCache(one, cached)))
      return {
        cancel() {
          reply.drop()
          waiting = waiting.filter((w) => w !== one)
        },
      }
    },
    exchange(id, frame, sink) {
      if (frame.kind === 'request') return pipe.request(id, frame, sink)
      if (frame.kind === 'notification') {
        notify(id, frame)
        acknowledge(sink)
      } else refuse(sink, new GatewayError('response_unexpected'))
      return none
    },
    listen(id, sink) {
      const session = sessions.get(id)
      const reply = createReply(sink)
      session?.listener?.end()
      if (session !== undefined) session.listener = reply
      queueMicrotask(() => reply.isOpen() && reply.begin())
      return {
        cancel() {
          reply.drop()
          if (session?.listener === reply) session.listener = undefined
        },
      }
    },
    end(id) {
      sessions.get(id)?.listener?.end()
      sessions.delete(id)
      pipe.leave(id)
    },
    // Most clients never end their session, so that one which is there must show it.
    isIdle: () => pipe.isIdle() && [...sessions.values()].every((s) => s.listener === undefined),
    signal: pipe.signal,
    close: pipe.close,
  }
}

const restored = (text: string, frame: RequestFrame): { text: string; bytes: Uint8Array } => {
  const idSpan = skimPath(frame.text, 'id')
  const out = restoreAnswer(text, frame.text.slice(idSpan?.start, idSpan?.end))
  return { text: out, bytes: Buffer.from(out) }
}
