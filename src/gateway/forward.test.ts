import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordingSink } from '../../test/fakes/recording-sink.ts'
import { GatewayError } from '../core/errors.ts'
import { Collecting, type Rewrite, Rewriting } from './forward.ts'
import type { Head } from './upstream/upstream.ts'

const json: Head = { status: 200, kind: 'json', length: undefined, session: undefined }
const events: Head = { ...json, kind: 'events' }
const answer = '{"jsonrpc":"2.0","id":1,"result":{"n":1.0}}'
const edit: Rewrite = (text, head) => ({
  text: text.replace('1.0', '2.0'),
  head: { ...head, session: 'sealed' },
})
const edited = answer.replace('1.0', '2.0')

describe('an answer that is read on its way', () => {
  test('is rewritten whole, however its bytes are cut, with its new length', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length)), (places) => {
        const sink = new RecordingSink()
        const rewriting = new Rewriting(sink, 1, edit)
        rewriting.head({ ...json, length: 999 })
        const cuts = [0, ...places.toSorted((a, b) => a - b), answer.length]
        for (const [i, from] of cuts.slice(0, -1).entries())
          rewriting.chunk(Buffer.from(answer.slice(from, cuts[i + 1])))
        rewriting.end()
        expect(sink.text).toBe(edited)
        expect(sink.heads).toEqual([{ ...json, length: edited.length, session: 'sealed' }])
        expect(sink.faults).toEqual([])
      }),
    )
  })

  test('of a stream lets through what comes before it', () => {
    const sink = new RecordingSink()
    const rewriting = new Rewriting(sink, 1, (text, head) => ({ ...edit(text, head), head }))
    rewriting.head(events)
    rewriting.event({ data: '{"jsonrpc":"2.0","method":"notifications/progress"}' })
    expect(sink.events).toEqual(['{"jsonrpc":"2.0","method":"notifications/progress"}'])
    rewriting.event({ data: answer })
    rewriting.end()
    expect(sink.events.at(-1)).toBe(edited)
    expect(sink.faults).toEqual([])
  })

  test('of a stream whose head may change waits until it has come, and keeps the order', () => {
    const sink = new RecordingSink()
    const rewriting = new Rewriting(sink, 1, edit, 'head and answer')
    rewriting.head(events)
    rewriting.event({ data: '{"jsonrpc":"2.0","method":"notifications/progress"}' })
    expect(sink.heads).toEqual([])
    rewriting.event({ data: answer })
    rewriting.end()
    expect(sink.heads).toEqual([{ ...events, session: 'sealed' }])
    expect(sink.events).toEqual(['{"jsonrpc":"2.0","method":"notifications/progress"}', edited])
    expect(sink.faults).toEqual([])
  })

  test('lets a question of the server pass at once: it can not wait for the answer', () => {
    const sink = new RecordingSink()
    const rewriting = new Rewriting(sink, 1, edit)
    rewriting.head(events)
    const question = '{"jsonrpc":"2.0","id":"q","method":"roots/list"}'
    rewriting.event({ data: question })
    expect(sink.events).toEqual([question])
  })

  test('of another id is not rewritten', () => {
    const sink = new RecordingSink()
    const rewriting = new Rewriting(sink, 2, edit)
    rewriting.head(events)
    rewriting.event({ data: answer })
    rewriting.end()
    expect(sink.events).toEqual([answer])
  })

  test('that is too large to hold fails once, and nothing follows', () => {
    const sink = new RecordingSink()
    const rewriting = new Rewriting(sink, 1, edit)
    rewriting.head(json)
    const chunk = Buffer.alloc(4 << 20, 0x20)
    for (let i = 0; i < 10; i++) rewriting.chunk(chunk)
    rewriting.end()
    expect(sink.error?.code).toBe('upstream_broken')
    expect(sink.faults).toEqual([])
    expect(sink.chunks).toEqual([])
  })
})

describe('an answer for the gateway itself', () => {
  const collect = (feed: (sink: Collecting) => void): string | undefined => {
    let got: string | undefined
    feed(
      new Collecting(1, ({ text }) => {
        got = text
      }),
    )
    return got
  }

  test('is a body, or the event that answers', () => {
    const body = collect((sink) => {
      sink.head(json)
      sink.chunk(Buffer.from(answer))
      sink.end()
    })
    expect(body).toBe(answer)
    const event = collect((sink) => {
      sink.head(events)
      sink.event({ data: '{"id":2,"result":{}}' })
      sink.event({ data: answer })
      sink.event({ data: 'no json' })
      sink.end()
    })
    expect(event).toBe(answer)
  })

  test('is nothing when it failed or never came', () => {
    expect(collect((sink) => sink.fail(new GatewayError('upstream_lost')))).toBeUndefined()
    expect(
      collect((sink) => {
        sink.head(events)
        sink.end()
      }),
    ).toBeUndefined()
  })
})
