import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Era, Upstream } from '../../src/gateway/upstream/upstream.ts'
import { Conversation } from '../fakes/conversation.ts'
import { requestText } from '../fakes/frames.ts'
import { RecordingSink } from '../fakes/recording-sink.ts'
import { until } from '../fakes/until.ts'

/** An upstream with the scripted server (`test/fakes/scripted-server.ts`) behind it. */
export interface OpenedUpstream {
  readonly upstream: Upstream
  /** Ends everything. */
  close(): Promise<void>
}

/** What every upstream does, whatever the transport; a test is only left out with a written reason. */
export function describeUpstream(
  name: string,
  open: () => Promise<OpenedUpstream>,
  leftOut: Readonly<Partial<Record<'asking' | 'listening' | 'modern', string>>> = {},
): void {
  describe(`the upstream ${name}`, () => {
    let opened: OpenedUpstream
    const start = (era: Era, grantId?: string): Promise<Conversation> =>
      new Conversation(opened.upstream, era, grantId).open()
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    describe.each(['legacy', 'modern'] as const)('in the %s era', (era) => {
      beforeEach((context) => {
        if (era === 'modern' && leftOut.modern !== undefined) context.skip(leftOut.modern)
      })

      test('answers a request with the bytes that the server sent', async () => {
        const sink = await (await start(era)).call('numbers')
        expect(sink.kind).toBe('json')
        expect(sink.status).toBe(200)
        expect(sink.text).toContain('"big":12345678901234567890,"one":1.0')
        expect(sink.message.id).toBe(1)
        expect(sink.faults).toEqual([])
      })

      test('passes an error of the server on', async () => {
        const sink = await (await start(era)).call('fail')
        expect(sink.message.error).toEqual({ code: -32602, message: 'no', data: { why: 'script' } })
      })

      test('turns into a stream when something comes before the answer', async () => {
        const sink = await (await start(era)).call('progress', { n: 3 }, { progressToken: 'tök' })
        expect(sink.kind).toBe('events')
        const events = sink.events.filter((data) => data !== '').map((data) => JSON.parse(data))
        expect(events.slice(0, -1).map((event) => event.params)).toEqual([
          { progressToken: 'tök', progress: 1 },
          { progressToken: 'tök', progress: 2 },
          { progressToken: 'tök', progress: 3 },
        ])
        expect(sink.said).toBe('done')
        expect(sink.faults).toEqual([])
      })

      test('keeps the ids 0, "0" and "" apart', async () => {
        const client = await start(era)
        const ids = [0, '0', '']
        const sinks = ids.map((id) => client.send(client.textAs(id, 'line', { of: id })))
        for (const [i, sink] of sinks.entries()) {
          await sink.over()
          expect(sink.message.id).toBe(ids[i])
          expect(JSON.parse(sink.said).params.arguments).toEqual({ of: ids[i] })
        }
      })

      test('answers requests in the order in which the server does', async () => {
        const client = await start(era)
        const slow = client.exchange(client.text('silent'))
        const quick = await client.call('line')
        expect(quick.error).toBeUndefined()
        expect(slow.sink.isOver).toBe(false)
        slow.cancel()
      })

      test('tells nothing of an exchange that was cancelled', async () => {
        const client = await start(era)
        const { sink, cancel } = client.exchange(client.text('postponed'))
        cancel()
        await client.call('line')
        await client.call('line')
        expect(sink.heads.filter((head) => head.kind === 'json')).toEqual([])
        expect(sink.events).toEqual([])
      })

      test('fails what is in flight when the server goes away', async () => {
        const client = await start(era)
        const waiting = client.send(client.text('silent'))
        const dying = client.send(client.text('die'))
        await Promise.all([waiting.over(), dying.over()])
        for (const sink of [waiting, dying]) {
          expect(sink.error?.code).toBe('upstream_lost')
          expect(sink.wasSent).toBe(true)
        }
      })

      test('carries an answer of five million bytes', async () => {
        const sink = await (await start(era)).call('giant', { n: 5_000_000 })
        expect(sink.said.length).toBe(5_000_000)
      })

      test('loses no event when the sink asks to pause', async () => {
        const client = await start(era)
        const sink = new RecordingSink()
        sink.isFull = true
        client.send(client.text('progress', { n: 500 }, { progressToken: 7 }), sink)
        await until(() => sink.events.length > 0, 'the first event')
        await until(() => {
          sink.drain()
          return sink.isOver
        }, 'the end')
        const seen = sink.events.map((data) => JSON.parse(data).params?.progress)
        expect(seen.filter((n) => n !== undefined)).toEqual(
          Array.from({ length: 500 }, (_, i) => i + 1),
        )
        expect(sink.faults).toEqual([])
      })

      test('takes a notification without a body', async () => {
        const client = await start(era)
        const sink = await client.notify('notifications/roots/list_changed').over()
        expect(sink.kind).toBe('empty')
        expect(sink.error).toBeUndefined()
      })

      test('calls no sink before the exchange is returned', async () => {
        const client = await start(era)
        const early: string[] = []
        let isReturned = false
        const sink = new RecordingSink()
        const spy = new Proxy(sink, {
          get(target, key) {
            if (!isReturned) early.push(String(key))
            const value = Reflect.get(target, key, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
        const text = client.text('line')
        client.upstream.exchange(
          {
            ...client.around(),
            session: 'unknown',
            frame: { kind: 'notification', method: 'x', params: {}, text },
            bytes: Buffer.from(text),
          },
          spy,
        )
        isReturned = true
        await sink.over()
        expect(early).toEqual([])
      })
    })

    test('names the session that initialize opened', async () => {
      const client = await start('legacy')
      expect(client.session).toMatch(/^[!-~]{16,}$/)
    })

    test('names no session when the server refuses to initialize', async () => {
      const client = new Conversation(opened.upstream, 'legacy')
      const sink = await client.send(requestText(1, 'tools/list')).over()
      expect(sink.session).toBeUndefined()
      expect(sink.error !== undefined || (sink.status ?? 0) >= 400).toBe(true)
    })

    test('never mixes up the answers of two sessions', async () => {
      const [one, other] = [await start('legacy'), await start('legacy')]
      expect(one.session).not.toBe(other.session)
      const texts = await Promise.all(
        [one, other].flatMap((client, i) =>
          Array.from({ length: 20 }, (_, n) => client.call('line', { client: i, n })),
        ),
      )
      for (const [i, sink] of texts.entries())
        expect(JSON.parse(sink.said).params.arguments).toEqual({
          client: Math.floor(i / 20),
          n: i % 20,
        })
    })

    test('lets the server ask in a session, and brings back what the client says', async (context) => {
      if (leftOut.asking !== undefined) context.skip(leftOut.asking)
      const client = await start('legacy')
      const sink = client.send(client.text('ask', { id: 'q-1', method: 'roots/list' }))
      await until(() => sink.events.some((data) => data.includes('roots/list')), 'the question')
      await client.send('{"jsonrpc":"2.0","id":"q-1","result":{"roots":[],"exact":1.0}}').over()
      await sink.over()
      expect(sink.said).toContain('"id":"q-1","result":{"roots":[],"exact":1')
    })

    test('brings what belongs to no request on the listen stream', async (context) => {
      if (leftOut.listening !== undefined) context.skip(leftOut.listening)
      const client = await start('legacy')
      const { sink } = client.listen()
      await client.call('later', { n: 2 })
      const notes = () => sink.events.filter((data) => data.includes('list_changed'))
      await until(() => notes().length === 2, 'two notifications')
      expect(notes().map((data) => JSON.parse(data).params.n)).toEqual([1, 2])
      expect(sink.kind).toBe('events')
    })

    test('knows a session no more once it has ended', async () => {
      const client = await start('legacy')
      expect(await opened.upstream.endSession(client.around())).toBe(200)
      const sink = await client.call('line')
      expect(sink.error?.code === 'session_unknown' || sink.status === 404).toBe(true)
    })

    test('knows no session that it did not open', async () => {
      const client = new Conversation(opened.upstream, 'legacy')
      client.session = 'never-opened'
      const sink = await client.call('line')
      expect(sink.error?.code === 'session_unknown' || sink.status === 404).toBe(true)
    })
  })
}
