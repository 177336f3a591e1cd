import { afterEach, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { frameOf, requestText } from '../../../test/fakes/frames.ts'
import { KeepingSink, RecordingSink } from '../../../test/fakes/recording-sink.ts'
import { openStdio } from '../../../test/fakes/stdio-upstream.ts'
import { until } from '../../../test/fakes/until.ts'
import type { UpstreamExchange } from './upstream.ts'

/** Clients that lose the stream of an answer of a process, and come back for it. */

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

function open(bounds = {}) {
  const one = openStdio({}, { bounds: { primeAfterMs: 1, ...bounds } })
  opened.push(one)
  return one
}
const start = (upstream: Conversation['upstream']) => new Conversation(upstream, 'legacy').open()

/** Sends a request of a client that may come back for the answer. */
function send(client: Conversation, text: string, more = {}) {
  const sink = new KeepingSink()
  const around = { ...client.around(), mayReturn: true, ...more }
  const request = { ...around, frame: frameOf(text), bytes: Buffer.from(text) }
  const call: UpstreamExchange = client.upstream.exchange(request, sink)
  return { sink, call }
}

/** Reads on behind an event. */
function listenAfter(client: Conversation, id: string | undefined, sink = new RecordingSink()) {
  const headers = ['last-event-id', id ?? '']
  const reading = client.upstream.listen({ ...client.around(), headers }, sink)
  return { sink, reading }
}

/** A call whose answer waits for another message, and whose stream has begun. */
async function begin() {
  const { upstream } = open()
  const client = await start(upstream)
  const { sink, call } = send(client, client.textAs('kept', 'postponed'))
  await until(() => sink.all.length === 1, 'the first event')
  return { client, upstream, sink, call, id: sink.all[0]?.id }
}

test('a call that takes its time begins its stream with a place to read on from', async () => {
  const { client, sink } = await begin()
  expect(sink.all).toEqual([{ data: '', id: expect.any(String), retry: '1000' }])
  await client.call('pid')
  await sink.over()
  expect(sink.said).toBe('at last')
  expect(sink.all[1]?.id).toMatch(/\.1$/)
  expect(sink.faults).toEqual([])
})

test('a client that lost its stream has cancelled nothing, and reads the answer later', async () => {
  const { client, sink, call, id } = await begin()
  call.cancel()
  const seen = (await client.call('seen')).said
  expect(seen).not.toContain('notifications/cancelled')
  const { sink: resumed } = listenAfter(client, id)
  await resumed.over()
  expect(resumed.message.id).toBe('kept')
  expect(resumed.said).toBe('at last')
  expect(sink.isOver).toBe(false)
})

test('a call is read on while it still runs, on one stream only', async () => {
  const { client, sink, id } = await begin()
  const { sink: resumed } = listenAfter(client, id)
  await sink.over()
  await client.call('pid')
  expect((await resumed.over()).said).toBe('at last')
  expect(sink.events).toEqual([''])
})

test('what came before the answer is read again, behind the event that was read', async () => {
  const client = await start(open({ primeAfterMs: 60_000 }).upstream)
  const { sink } = send(client, client.textAs('kept', 'progress', { n: 3 }, { progressToken: 't' }))
  await sink.over()
  const { sink: resumed } = listenAfter(client, sink.all[1]?.id)
  await resumed.over()
  expect(resumed.events).toEqual(sink.events.slice(2))
  expect(resumed.events.length).toBe(2)
})

test('the stream of a session can not be read by another', async () => {
  const { upstream, client, call, id } = await begin()
  call.cancel()
  const other = await start(upstream)
  const { sink: stranger } = listenAfter(other, id)
  await client.call('pid')
  await until(() => stranger.heads.length === 1, 'a stream of its own')
  await other.call('later')
  await until(() => stranger.events.length === 1, 'a message of its own')
  expect(stranger.events[0]).toContain('list_changed')
  expect(listenAfter(client, id).sink.isOver).toBe(false)
})

test('a process that ends says so to the reader, and leaves nothing to come back for', async () => {
  const { client, call, id } = await begin()
  call.cancel()
  const { sink: resumed } = listenAfter(client, id)
  await until(() => resumed.heads.length === 1, 'the stream')
  send(client, client.textAs('other', 'die'))
  await resumed.over()
  expect(resumed.message.id).toBe('kept')
  expect(resumed.message.error).toBeDefined()
  const { sink: late } = listenAfter(client, id)
  expect((await late.over()).error?.code).toBe('session_unknown')
})

test('a reader that has gone holds no process up', async () => {
  const client = await start(open().upstream)
  const token = { progressToken: 't' }
  const { sink, call } = send(client, client.textAs('kept', 'silent', {}, token))
  await until(() => sink.all.length === 1, 'the first event')
  sink.isFull = true
  send(client, client.textAs('one', 'trickle', { n: 1 }, token))
  await until(() => sink.all.length === 2, 'what is too much')
  call.cancel()
  expect((await client.call('pid')).error).toBeUndefined()
  const full = new RecordingSink()
  full.isFull = true
  const { reading } = listenAfter(client, sink.all[1]?.id, full)
  send(client, client.textAs('two', 'trickle', { n: 1 }, token))
  await until(() => full.events.length === 1, 'what is too much again')
  reading.cancel()
  expect((await client.call('pid')).error).toBeUndefined()
})

test.each([
  ['that can not come back', { mayReturn: false }],
  ['that reads no event streams', { headers: ['accept', 'application/json'] }],
  ['of a revision that knows no such event', { protocolVersion: '2025-06-18' }],
])('a client %s gets one body, however long it takes', async (_, more) => {
  const { upstream } = open()
  const [client, other] = await Promise.all([start(upstream), start(upstream)])
  const { sink } = send(client, client.textAs('kept', 'postponed'), more)
  // What was sent later has been waiting for less time.
  const later = send(other, other.textAs('later', 'silent')).sink
  await until(() => later.all.length === 1, 'the stream of another')
  expect(sink.heads).toEqual([])
  await client.call('pid')
  await sink.over()
  expect(sink.kind).toBe('json')
  expect(sink.said).toBe('at last')
})

test('a list is never kept', async () => {
  const client = await start(open().upstream)
  const { sink } = send(client, requestText(1, 'tools/list'))
  await sink.over()
  expect(sink.all).toEqual([])
  expect(sink.kind).toBe('json')
})
