import { expect, test, vi } from 'vitest'
import { frameOf, requestText } from '../../test/fakes/frames.ts'
import { RecordingSink } from '../../test/fakes/recording-sink.ts'
import { until } from '../../test/fakes/until.ts'
import { GatewayError } from '../core/errors.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { exchangeResuming } from './resume.ts'
import type { Head, ReplySink, Upstream, UpstreamEvent } from './upstream/upstream.ts'

const HEAD: Head = { status: 200, kind: 'events', length: undefined, session: undefined }
const ANSWER = '{"jsonrpc":"2.0","id":7,"result":{}}'
const PROGRESS = '{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'
const OF_ANOTHER = '{"jsonrpc":"2.0","id":8,"result":{}}'

/** Sends the request 7; the test plays every stream that the gateway opens for it. */
function send() {
  const streams: { sink: ReplySink; headers: readonly string[]; isCancelled: boolean }[] = []
  const open = (headers: readonly string[], sink: ReplySink) => {
    const stream = { sink, headers, isCancelled: false }
    streams.push(stream)
    return {
      cancel() {
        stream.isCancelled = true
      },
    }
  }
  const upstream: Upstream = {
    exchange: ({ headers }, to) => open(headers, to),
    listen: ({ headers }, to) => open(headers, to),
    endSession: async () => 200,
    close: async () => {},
  }
  const frame = frameOf(requestText(7, 'tools/call')) as RequestFrame
  const sink = new RecordingSink()
  const around = {
    era: 'legacy',
    protocolVersion: '2025-11-25',
    session: 's',
    grantId: 'g',
  } as const
  const headers = ['accept', 'application/json, text/event-stream']
  const request = { ...around, headers, frame, bytes: Buffer.from(frame.text) }
  const exchange = exchangeResuming(upstream, request, sink)
  const stream = async (n: number) => {
    await until(() => streams.length > n, `stream ${n}`)
    return streams[n] as (typeof streams)[number]
  }
  const play = async (n: number, ...events: readonly UpstreamEvent[]) => {
    const one = await stream(n)
    one.sink.head(HEAD)
    for (const event of events) one.sink.event(event)
    return one
  }
  return { streams, sink, exchange, play, stream }
}

const priming = (id: string): UpstreamEvent => ({ data: '', id, retry: '5' })

test('a stream that is closed before its answer is gone on with from its last event', async () => {
  const { sink, play } = send()
  const first = await play(0, priming('a'), { data: PROGRESS, id: 'b' })
  first.sink.end()
  const second = await play(1, priming('c'), { data: OF_ANOTHER }, { data: ANSWER, id: 'd' })
  expect(second.headers).toEqual(['last-event-id', 'b'])
  expect(second.isCancelled).toBe(true)
  expect(sink.events.slice(0, 1)).toEqual([PROGRESS])
  expect(sink.events.at(-1)).toBe(ANSWER)
  expect(sink.heads).toHaveLength(1)
  expect(sink.isOver).toBe(true)
  expect(sink.error).toBeUndefined()
  expect(sink.faults).toEqual([])
})

test('the time that the server names is waited for', async () => {
  const { streams, play, stream } = send()
  vi.useFakeTimers()
  try {
    const first = streams[0]
    first?.sink.head(HEAD)
    first?.sink.event({ data: '', id: 'a', retry: '500' })
    first?.sink.end()
    vi.advanceTimersByTime(499)
    expect(streams).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(streams).toHaveLength(2)
  } finally {
    vi.useRealTimers()
  }
  await play(1, { data: ANSWER })
  expect((await stream(1)).isCancelled).toBe(true)
})

test('a stream that has no ids ends when it ends', async () => {
  const { sink, play, streams } = send()
  const first = await play(0, { data: PROGRESS })
  first.sink.end()
  expect(sink.isOver).toBe(true)
  expect(streams).toHaveLength(1)
})

test('an answer that is there is not waited for again', async () => {
  const { sink, play, streams } = send()
  const first = await play(0, priming('a'), { data: ANSWER, id: 'b' })
  expect(first.isCancelled).toBe(false)
  first.sink.end()
  expect(sink.isOver).toBe(true)
  expect(streams).toHaveLength(1)
})

test('a server that does not let a stream be resumed has lost the request', async () => {
  const { sink, play, stream } = send()
  const first = await play(0, priming('a'))
  first.sink.fail(new GatewayError('upstream_lost'), true)
  const second = await stream(1)
  second.sink.fail(new GatewayError('verb_refused'), false)
  const third = await stream(2)
  third.sink.head({ ...HEAD, status: 400, kind: 'json' })
  third.sink.chunk(Buffer.from('{}'))
  third.sink.end()
  expect(sink.error?.code).toBe('upstream_lost')
  expect(sink.wasSent).toBe(true)
})

test('a server that always hangs up is given up', async () => {
  const { sink, play } = send()
  for (let n = 0; n < 6; n++) (await play(n, priming(String(n)))).sink.end()
  await until(() => sink.isOver, 'the end')
  expect(sink.error?.code).toBe('upstream_lost')
})

test('a client that goes is not resumed for', async () => {
  const { play, exchange, streams } = send()
  const first = await play(0, priming('a'))
  vi.useFakeTimers()
  try {
    first.sink.end()
    exchange.cancel()
    vi.advanceTimersByTime(60_000)
    expect(streams).toHaveLength(1)
  } finally {
    vi.useRealTimers()
  }
})
