import type { GatewayError } from '../../core/errors.ts'
import type { Head, ReplySink } from './upstream.ts'

/** What goes back for one request: one JSON body, or a stream if anything comes before the answer. */
export interface Reply {
  isOpen(): boolean
  /** Makes it a stream now, before there is anything to tell. */
  begin(): void
  /** A message before the answer; false when the sink asks to pause. */
  event(text: string): boolean
  /** The answer, in the form that fits what came before. */
  answer(message: { readonly text: string; readonly bytes: Uint8Array }): void
  /** Nothing more will come, and there is no answer. */
  end(): void
  fail(error: GatewayError, wasSent: boolean): void
  /** The caller has gone: whatever still comes is dropped. */
  drop(): void
  onDrain(resume: () => void): void
}

const head = (kind: Head['kind'], more: Partial<Head> = {}): Head => ({
  status: kind === 'empty' ? 202 : 200,
  kind,
  length: undefined,
  session: undefined,
  ...more,
})

/** A reply into a sink; `session` is named in its head, `statusOf` gives the status of an answer. */
export function createReply(
  sink: ReplySink,
  session?: string,
  statusOf: (text: string) => number = () => 200,
): Reply {
  let state: 'new' | 'events' | 'over' = 'new'
  const beginEvents = (): void => {
    if (state === 'new') sink.head(head('events', { session }))
    state = 'events'
  }
  return {
    isOpen: () => state !== 'over',
    begin: beginEvents,
    event(text) {
      if (state === 'over') return true
      beginEvents()
      return sink.event({ data: text })
    },
    answer({ text, bytes }) {
      if (state === 'over') return
      if (state === 'new') {
        sink.head(head('json', { status: statusOf(text), length: bytes.length, session }))
        sink.chunk(bytes)
      } else sink.event({ data: text })
      state = 'over'
      sink.end()
    },
    end() {
      if (state === 'over') return
      beginEvents()
      state = 'over'
      sink.end()
    },
    fail(error, wasSent) {
      if (state === 'over') return
      state = 'over'
      sink.fail(error, wasSent)
    },
    drop() {
      state = 'over'
    },
    onDrain: (resume) => sink.onDrain(resume),
  }
}

/** Tells a sink that a notification or a response was taken. */
export function acknowledge(sink: ReplySink): void {
  // Later, so that the caller holds the exchange before its sink is called.
  queueMicrotask(() => {
    sink.head(head('empty'))
    sink.end()
  })
}

/** Tells a sink that its message was never sent. */
export function refuse(sink: ReplySink, error: GatewayError): void {
  queueMicrotask(() => sink.fail(error, false))
}
