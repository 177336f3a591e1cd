import type { GatewayError } from '../../../core/errors.ts'
import type { Head, Upstream, UpstreamEvent, UpstreamExchange } from '../../upstream/upstream.ts'
import type { Around } from '../ask.ts'

/** A stream that belongs to no request, kept open. */
export interface Listening {
  /** True once it is open; false when the server has none, or does not open it in time. */
  readonly opened: Promise<boolean>
  stop(): void
}

const MIN_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000
const OPEN_MS = 2_000
const MAX_RETRY_MS = 60_000

/** The least and most that a server may say a client should wait before it comes back. */
export const retryOf = (retry: string | undefined, otherwise: number): number =>
  retry === undefined ? otherwise : Math.min(MAX_RETRY_MS, Number(retry))

/** Keeps the stream of a session open: servers may end it at any time, and go on where it ended. */
export function keepOpen(
  inner: Upstream,
  around: () => Around,
  { message, lost }: { message(data: string): void; lost(): void },
): Listening {
  let isOver = false
  let waitMs = MIN_WAIT_MS
  let lastId: string | undefined
  let retry: string | undefined
  let timer: NodeJS.Timeout | undefined
  let exchange: UpstreamExchange | undefined
  let resolveOpened = (_: boolean): void => {}
  const opened = new Promise<boolean>((resolve) => {
    resolveOpened = resolve
    setTimeout(resolve, OPEN_MS, false).unref()
  })

  /** A server without such a stream (405) is let be. */
  const again = (isRefused: boolean): void => {
    exchange = undefined
    if (isRefused) resolveOpened(false)
    if (isOver || isRefused) return
    timer = setTimeout(open, retryOf(retry, waitMs))
    timer.unref()
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
  }

  function open(): void {
    let isRefused = false
    const resumed = lastId === undefined ? [] : ['last-event-id', lastId]
    const sink = {
      head({ status, kind }: Head) {
        isRefused = status >= 400 || kind !== 'events'
        if (!isRefused) resolveOpened(true)
      },
      chunk: () => true,
      event(event: UpstreamEvent) {
        waitMs = MIN_WAIT_MS
        lastId = event.id ?? lastId
        retry = event.retry ?? retry
        if (event.data !== '' && !isOver) message(event.data)
        return true
      },
      end: () => again(isRefused),
      fail(error: GatewayError) {
        if (error.code === 'session_unknown' || error.code === 'session_missing') {
          resolveOpened(false)
          lost()
        } else again(error.code === 'verb_refused')
      },
      onDrain() {},
    }
    exchange = inner.listen({ ...around(), headers: resumed }, sink)
  }

  open()
  return {
    opened,
    stop() {
      isOver = true
      clearTimeout(timer)
      exchange?.cancel()
      resolveOpened(false)
    },
  }
}
