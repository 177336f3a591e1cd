import { type Dispatcher, Pool } from 'undici'
import { GatewayError } from '../../core/errors.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import type { ServerTarget } from '../../core/snapshot.ts'
import type { Trouble } from '../bridge/era-knowledge.ts'
import { mirroredName, toHeader } from '../mirror.ts'
import { EventStreamParser } from './event-stream.ts'
import { refusalOf, wasNotSent } from './http-refusal.ts'
import type { ReplySink, Upstream, UpstreamExchange, UpstreamRequest } from './upstream.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** The longest that a server may take to begin an answer. */
const HEADERS_TIMEOUT_MS = 600_000
const KEEP_ALIVE_MS = 30_000
/** Exchanges at once towards one server; more wait in undici's queue. */
const MAX_CONNECTIONS = 512

type Target = Omit<Extract<ServerTarget, { kind: 'http' }>, 'transport'>
type Listening = Omit<UpstreamRequest, 'frame' | 'bytes'>

/** A server that is reached over Streamable HTTP. */
export function createHttpUpstream(
  target: Target,
  trouble: Pick<Trouble, 'note'> = { note() {} },
): Upstream {
  const url = new URL(target.url)
  const options: Pool.Options = {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
    pipelining: 1,
  }
  const exchanges = new Pool(url.origin, { ...options, connections: MAX_CONNECTIONS })
  // Streams stay open for hours: they must not use up the connections that calls need.
  const streams = new Pool(url.origin, { ...options, connections: null })
  const path = url.pathname + url.search
  const injected = Object.entries(target.headers).flat()
  const isInjected = new Set(Object.keys(target.headers).map((name) => name.toLowerCase()))

  // The usual case is decided once: no injected header is one that the client could send.
  const mayClash = [...isInjected].some((name) =>
    /^(accept|trace|last-event-id|mcp-|content-)/.test(name),
  )
  const fixed = ['accept-encoding', 'identity', ...injected]

  const headersFor = (request: Listening, own: readonly string[]): string[] => {
    const headers = fixed.concat(own, request.headers)
    if (request.session !== undefined) headers.push('mcp-session-id', request.session)
    return mayClash ? withoutClashes(headers, fixed.length, isInjected) : headers
  }

  return {
    exchange(request, sink) {
      const reply = new HttpReply(sink, request, trouble)
      const pool = isStream(request.frame) ? streams : exchanges
      pool.dispatch(
        {
          path,
          method: 'POST',
          headers: headersFor(request, frameHeaders(request)),
          body: request.bytes,
        },
        reply,
      )
      return reply
    },
    listen(request, sink) {
      const reply = new HttpReply(sink, request, trouble)
      const headers = headersFor(request, [
        'accept',
        'text/event-stream',
        'mcp-protocol-version',
        request.protocolVersion,
      ])
      streams.dispatch({ path, method: 'GET', headers }, reply)
      return reply
    },
    async endSession(request) {
      const headers = headersFor(request, ['mcp-protocol-version', request.protocolVersion])
      const { statusCode, body } = await exchanges.request({
        path,
        method: 'DELETE',
        headers,
        signal: AbortSignal.timeout(10_000),
      })
      await body.dump()
      return statusCode
    },
    async close() {
      await Promise.all([exchanges.destroy(), streams.destroy()])
    },
  }
}

/** A request whose answer is a stream without an end. */
const isStream = (frame: Frame): boolean =>
  frame.kind === 'request' && frame.method === 'subscriptions/listen'

/** The headers that belong to a frame, computed from its body: what the client sent is not copied. */
function frameHeaders({ frame, era, protocolVersion }: UpstreamRequest): string[] {
  const headers = ['content-type', 'application/json']
  if (era === 'legacy') {
    const isOpening = frame.kind === 'request' && frame.method === 'initialize'
    if (!isOpening) headers.push('mcp-protocol-version', protocolVersion)
    return headers
  }
  headers.push('mcp-protocol-version', protocolVersion)
  if (frame.kind === 'response') return headers
  headers.push('mcp-method', frame.method)
  const name = mirroredName(frame.method, frame.params)
  if (name !== undefined) headers.push('mcp-name', toHeader(name))
  return headers
}

/** Headers without those that only repeat an injected one: what is configured wins. */
const withoutClashes = (
  headers: readonly string[],
  from: number,
  isInjected: ReadonlySet<string>,
): string[] =>
  headers.filter((_, i) => {
    const name = headers[i - (i % 2)] as string
    return i < from || !isInjected.has(name)
  })

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header

/** Passes one HTTP answer to a sink, and turns everything that is not MCP into an error. */
class HttpReply implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly #sink: ReplySink
  readonly #request: Listening
  readonly #trouble: Pick<Trouble, 'note'>
  #controller: Dispatcher.DispatchController | undefined
  #events: EventStreamParser | undefined
  #isStarted = false
  #isOver = false
  #mayFlow = true

  constructor(sink: ReplySink, request: Listening, trouble: Pick<Trouble, 'note'>) {
    this.#sink = sink
    this.#request = request
    this.#trouble = trouble
  }

  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#controller?.abort(new Error('cancelled'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error('cancelled'))
    else this.#isStarted = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#isOver) return
    if (status >= 400) this.#trouble.note('refused')
    const type = one(headers['content-type'])?.toLowerCase() ?? ''
    const refusal = refusalOf(status, type, this.#request.session !== undefined)
    if (refusal !== undefined) {
      this.#fail(refusal, false)
      controller.abort(new Error('refused'))
      return
    }
    const session = one(headers['mcp-session-id'])
    const length = Number(one(headers['content-length']) ?? Number.NaN)
    const isEvents = type.startsWith('text/event-stream')
    const kind = isEvents ? 'events' : type.startsWith('application/json') ? 'json' : 'empty'
    if (isEvents) this.#events = new EventStreamParser((event) => this.#event(event))
    this.#sink.head({ status, kind, length: Number.isNaN(length) ? undefined : length, session })
  }

  #event(event: { data: string; id?: string; retry?: string }): void {
    if (!this.#isOver) this.#mayFlow = this.#sink.event(event) && this.#mayFlow
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#isOver) return
    if (this.#events === undefined) this.#mayFlow = this.#sink.chunk(bytes)
    else
      try {
        this.#events.push(bytes)
      } catch (thrown) {
        this.#fail(thrown as GatewayError, true)
        controller.abort(new Error('broken'))
        return
      }
    if (this.#mayFlow) return
    controller.pause()
    this.#sink.onDrain(() => {
      this.#mayFlow = true
      controller.resume()
    })
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#sink.end()
  }

  onResponseError(_: unknown, error: Error & { code?: string }): void {
    const code = error.code ?? ''
    if (!this.#isOver) this.#trouble.note('gone')
    if (wasNotSent(error) || !this.#isStarted)
      this.#fail(new GatewayError('upstream_unreachable', undefined, { cause: error }), false)
    else if (code === 'UND_ERR_HEADERS_TIMEOUT')
      this.#fail(new GatewayError('upstream_timeout', undefined, { cause: error }), true)
    else this.#fail(new GatewayError('upstream_lost', undefined, { cause: error }), true)
  }

  #fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#sink.fail(error, wasSent)
  }
}
