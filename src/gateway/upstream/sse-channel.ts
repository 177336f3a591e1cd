import type { Dispatcher } from 'undici'
import { GatewayError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Outgoing, SessionChannel } from './channel-session.ts'
import { EventStreamParser } from './event-stream.ts'
import { refusalOf, refusedWith, wasNotSent } from './http-refusal.ts'
import { readIncoming } from './incoming.ts'
import type { PeerEvents } from './peer.ts'
import type { UpstreamEvent } from './upstream.ts'

/** What all channels to one server have in common. */
export interface SseSettings {
  readonly name: string
  readonly log: Log
  readonly url: URL
  /** Sent with every request; they win over all others: name, value, … */
  readonly injected: readonly string[]
  /** Connections for event streams, which stay open, and for messages. */
  readonly streams: Dispatcher
  readonly posts: Dispatcher
  /** How long the server may take to say where messages go. */
  readonly endpointTimeoutMs: number
  /** How long what follows a notification waits for the server to take it. */
  readonly orderTimeoutMs: number
  /** How long the server may take to accept a message. */
  readonly postTimeoutMs: number
  /** Bytes that may wait for a server that does not take them. */
  readonly maxBacklogBytes: number
}

const MAX_ENDPOINT = 8_192

/**
 * Where messages go: on the server itself, and nowhere else. Another origin would get the client's
 * messages and the credentials that are configured for this one.
 * @throws GatewayError `upstream_broken`.
 */
export function endpointOf(text: string, base: URL): URL {
  const url = text.length > MAX_ENDPOINT ? null : URL.parse(text, base.href)
  if (url === null) throw new GatewayError('upstream_broken', 'its endpoint is not a URL')
  if (url.origin !== base.origin || url.username !== '' || url.password !== '')
    throw new GatewayError('upstream_broken', 'its endpoint is on another origin')
  return url
}

/** Opens an event stream to the server; messages wait until it has said where they go. */
export function openSseChannel(settings: SseSettings, events: PeerEvents): SessionChannel {
  const { name, log } = settings
  /** Messages that wait their turn. */
  const queue: Outgoing[] = []
  const posting = new AbortController()
  let backlog = 0
  let endpoint: URL | undefined
  /** True while nothing may follow: before the endpoint is known, and behind a notification. */
  let isHeld = true
  let isOver = false
  let isPaused = false
  let isClosing = false
  let stream: Dispatcher.DispatchController | undefined

  const babbled = (bytes: number): void =>
    log('warn', { event: 'upstream.babbled', upstream: name, bytes })

  function over(error: GatewayError): void {
    if (isOver) return
    isOver = true
    clearTimeout(opening)
    const wasSent = endpoint !== undefined
    if (!isClosing)
      log('warn', { event: 'upstream.lost', upstream: name, reason: error.detail ?? error.message })
    stream?.abort(new Error('over'))
    posting.abort(error)
    for (const message of queue.splice(0)) message.refused?.(error, false)
    events.lost(error, wasSent)
  }

  function named(text: string): void {
    // The first counts: a session does not move.
    if (endpoint !== undefined) {
      babbled(text.length)
      return
    }
    endpoint = endpointOf(text, settings.url)
    clearTimeout(opening)
    isHeld = false
    pump()
  }

  function took(event: UpstreamEvent): void {
    if (event.event === 'endpoint') {
      named(event.data)
      return
    }
    if (event.event !== undefined || event.data === '') return
    const messages = readIncoming(Buffer.from(event.data, 'utf8'))
    if (messages === undefined || endpoint === undefined) babbled(event.data.length)
    else for (const message of messages) events.message(message)
  }

  const parser = new EventStreamParser((event) => {
    if (!isOver) took(event)
  })

  function pump(): void {
    while (!isHeld && !isOver) {
      const next = queue.shift()
      if (next === undefined) return
      if (next.kind !== 'notification') void post(next)
      else hold(post(next))
    }
  }

  /** A server must see a notification before what was sent after it, but may not hold it up. */
  function hold(posted: Promise<void>): void {
    isHeld = true
    let isReleased = false
    const release = (): void => {
      if (isReleased) return
      isReleased = true
      clearTimeout(timer)
      isHeld = false
      pump()
    }
    const timer = setTimeout(release, settings.orderTimeoutMs)
    void posted.then(release)
  }

  /** Never rejects: how it went is told to the message. */
  async function post(message: Outgoing): Promise<void> {
    const { pathname, search } = endpoint as URL
    try {
      const { statusCode, headers, body } = await settings.posts.request({
        path: pathname + search,
        method: 'POST',
        headers: headersFor(settings, ['content-type', 'application/json'], message.headers),
        body: message.bytes,
        signal: AbortSignal.any([posting.signal, AbortSignal.timeout(settings.postTimeoutMs)]),
      })
      body.dump().catch(() => {})
      answered(message, statusCode, String(headers['content-type'] ?? ''))
    } catch (cause) {
      message.refused?.(...failureOf(cause))
    } finally {
      backlog -= message.bytes.length
    }
  }

  /** What the server says to a message counts by its status alone: answers come on the stream. */
  function answered(message: Outgoing, status: number, type: string): void {
    if (status >= 200 && status < 300) {
      message.taken?.()
      return
    }
    const isGone = status === 404 || status === 410
    const refusal = isGone
      ? new GatewayError('session_unknown')
      : (refusalOf(status, type, false) ?? refusedWith(status))
    message.refused?.(refusal, status >= 500)
    if (isGone) over(new GatewayError('upstream_lost', 'it knows this session no more'))
  }

  const opening = setTimeout(
    () => over(new GatewayError('upstream_timeout', 'it names no endpoint for messages')),
    settings.endpointTimeoutMs,
  )

  const reading: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      stream = controller
      if (isOver) controller.abort(new Error('over'))
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200 || isOver) return
      const type = String(headers['content-type'] ?? '').toLowerCase()
      if (status === 200 && type.startsWith('text/event-stream')) return
      over(
        refusalOf(status, type, false) ?? refusedWith(status, `no event stream (HTTP ${status})`),
      )
    },
    onResponseData(controller, bytes) {
      if (isOver) return
      try {
        parser.push(bytes)
      } catch (thrown) {
        over(thrown as GatewayError)
        return
      }
      if (isPaused) controller.pause()
    },
    onResponseEnd: () => over(new GatewayError('upstream_lost', 'its event stream has ended')),
    onResponseError: (_, cause) => over(failureOf(cause)[0]),
  }
  const path = settings.url.pathname + settings.url.search
  const headers = headersFor(settings, ['accept', 'text/event-stream', 'cache-control', 'no-cache'])
  // Later, so that the caller holds the channel before it is told of anything.
  queueMicrotask(() => {
    if (!isOver) settings.streams.dispatch({ path, method: 'GET', headers }, reading)
  })

  return {
    send(message) {
      if (isOver) {
        message.refused?.(new GatewayError('upstream_lost', 'its event stream has ended'), false)
        return
      }
      backlog += message.bytes.length
      // What the server waits for must not wait for the server.
      if (message.kind === 'response' && endpoint !== undefined) void post(message)
      else {
        queue.push(message)
        pump()
      }
    },
    refusal: () =>
      backlog > settings.maxBacklogBytes
        ? new GatewayError('too_busy', 'the server does not take its messages')
        : undefined,
    pause() {
      isPaused = true
      stream?.pause()
    },
    resume() {
      isPaused = false
      stream?.resume()
    },
    signal() {},
    async close() {
      isClosing = true
      over(new GatewayError('upstream_lost', 'the connection was closed'))
    },
  }
}

/** Asks whether a server speaks HTTP+SSE: does it name an endpoint? @throws GatewayError if a bad one. */
export async function namesEndpoint(settings: SseSettings): Promise<boolean> {
  const headers = headersFor(settings, ['accept', 'text/event-stream', 'cache-control', 'no-cache'])
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), settings.endpointTimeoutMs)
  try {
    const path = settings.url.pathname + settings.url.search
    const {
      statusCode,
      headers: answered,
      body,
    } = await settings.streams.request({
      path,
      method: 'GET',
      headers,
      signal: controller.signal,
    })
    body.on('error', () => {})
    if (statusCode !== 200) return false
    if (!/^text\/event-stream/i.test(String(answered['content-type'] ?? ''))) return false
    return await firstEndpoint(body, settings.url)
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown
    return false
  } finally {
    clearTimeout(timer)
    controller.abort()
  }
}

/** Is the first event of the stream an endpoint? */
async function firstEndpoint(body: AsyncIterable<Buffer>, url: URL): Promise<boolean> {
  let first: UpstreamEvent | undefined
  const parser = new EventStreamParser((event) => {
    first ??= event
  })
  for await (const bytes of body) {
    parser.push(bytes)
    if (first === undefined) continue
    if (first.event !== 'endpoint') return false
    endpointOf(first.data, url)
    return true
  }
  return false
}

/** Headers of a request: those that only repeat an injected one are left out. */
function headersFor(
  { injected }: SseSettings,
  own: readonly string[],
  more: readonly string[] = [],
): string[] {
  const names = new Set(injected.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))
  const rest = [...own, ...more]
  return [
    ...['accept-encoding', 'identity'],
    ...injected,
    ...rest.filter((_, i) => !names.has((rest[i - (i % 2)] as string).toLowerCase())),
  ]
}

function failureOf(cause: unknown): [GatewayError, boolean] {
  if (cause instanceof GatewayError) return [cause, true]
  const error = cause instanceof Error ? cause : new Error('unknown')
  if (wasNotSent(error as { code?: unknown }))
    return [new GatewayError('upstream_unreachable', undefined, { cause }), false]
  return error.name === 'TimeoutError'
    ? [new GatewayError('upstream_timeout', undefined, { cause }), true]
    : [new GatewayError('upstream_lost', undefined, { cause }), true]
}
