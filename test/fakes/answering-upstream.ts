import { GatewayError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/json/json.ts'
import type {
  ReplySink,
  Upstream,
  UpstreamExchange,
  UpstreamRequest,
} from '../../src/gateway/upstream/upstream.ts'

/** What a fake server does with a request: an answer's members, a failure, or anything at all. */
export type Respond = (
  request: UpstreamRequest,
  sink: ReplySink,
) => JsonObject | GatewayError | undefined

/** An upstream in memory. */
export interface AnsweringUpstream extends Upstream {
  /** Every frame that it got, in order. */
  readonly got: UpstreamRequest[]
  /** The methods of those, a response as `response`. */
  methods(): readonly string[]
  /** Sessions that were ended. */
  readonly ended: (string | undefined)[]
  /** The open streams that belong to no request. */
  readonly listeners: Set<ReplySink>
  /** How many exchanges were cancelled. */
  cancelled: number
  isClosed: boolean
  respond: Respond
}

/** Writes one JSON body as the answer. */
export function answer(
  sink: ReplySink,
  message: JsonObject,
  o: { status?: number; session?: string } = {},
): void {
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
  const { status = 200, session } = o
  sink.head({ status, kind: 'json', length: bytes.length, session })
  sink.chunk(bytes)
  sink.end()
}

/** An upstream that does what `respond` says, one microtask later. */
export function answeringUpstream(respond: Respond): AnsweringUpstream {
  const got: UpstreamRequest[] = []
  const listeners = new Set<ReplySink>()
  const ended: (string | undefined)[] = []
  const self: AnsweringUpstream = {
    got,
    listeners,
    ended,
    cancelled: 0,
    isClosed: false,
    respond,
    methods: () => got.map(({ frame }) => (frame.kind === 'response' ? 'response' : frame.method)),
    exchange(request, sink): UpstreamExchange {
      got.push(request)
      queueMicrotask(() => {
        const said = self.respond(request, sink)
        if (said instanceof GatewayError) sink.fail(said, false)
        else if (said !== undefined)
          answer(sink, { id: request.frame.kind === 'request' ? request.frame.id : null, ...said })
        else if (request.frame.kind !== 'request') {
          sink.head({ status: 202, kind: 'empty', length: undefined, session: undefined })
          sink.end()
        }
      })
      return {
        cancel() {
          self.cancelled++
        },
      }
    },
    listen(_, sink) {
      listeners.add(sink)
      queueMicrotask(() =>
        sink.head({ status: 200, kind: 'events', length: undefined, session: undefined }),
      )
      return { cancel: () => void listeners.delete(sink) }
    },
    async endSession({ session }) {
      ended.push(session)
      return 200
    },
    async close() {
      self.isClosed = true
    },
  }
  return self
}
