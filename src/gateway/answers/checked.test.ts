import { describe, expect, test } from 'vitest'
import { RecordingSink } from '../../../test/fakes/recording-sink.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import type { Head, ReplySink, Upstream, UpstreamRequest } from '../upstream/upstream.ts'
import { checkAnswers } from './checked.ts'
import { createMask } from './mask.ts'

const call = (more: Partial<UpstreamRequest> = {}): UpstreamRequest => {
  const text = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}'
  const frame: Frame = { kind: 'request', id: 1, method: 'tools/call', params: {}, text }
  return {
    frame,
    bytes: Buffer.from(text),
    era: 'legacy',
    protocolVersion: '2025-11-25',
    session: undefined,
    grantId: 'g',
    headers: [],
    ...more,
  }
}
const notification: Frame = {
  kind: 'notification',
  method: 'notifications/x',
  params: {},
  text: '',
}

/** What reaches the sink of a request when the server answers by calling the given one. */
function ask(
  answer: (sink: ReplySink) => void,
  { request = call(), secret }: { request?: UpstreamRequest; secret?: string } = {},
): RecordingSink {
  const inner: Upstream = {
    exchange(_, sink) {
      answer(sink)
      return { cancel() {} }
    },
    listen(_, sink) {
      answer(sink)
      return { cancel() {} }
    },
    endSession: async () => 200,
    close: async () => {},
  }
  const sink = new RecordingSink()
  checkAnswers(inner, createMask(secret === undefined ? [] : [secret])).exchange(request, sink)
  expect(sink.faults).toEqual([])
  return sink
}

const head = (more: Partial<Head> = {}): Head => ({
  status: 200,
  kind: 'json',
  length: undefined,
  session: undefined,
  ...more,
})

const body =
  (text: string | Uint8Array, more: Partial<Head> = {}, pieces = 3) =>
  (sink: ReplySink): void => {
    const bytes = Buffer.from(text)
    sink.head(head({ length: bytes.length, ...more }))
    const size = Math.ceil(bytes.length / pieces)
    for (let at = 0; at < bytes.length; at += size) sink.chunk(bytes.subarray(at, at + size))
    sink.end()
  }

const envelope = (result: string, id = '1'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${result}}`
const long = 'x'.repeat(300_000)

describe('an answer', () => {
  test.each([
    ['with its envelope first', envelope('{"content":[]}')],
    ['with its envelope last', '{"result":{"a":1.0},"jsonrpc":"2.0","id":1}'],
    ['with odd numbers and blanks', envelope(' { "a" : 12345678901234567890 , "b" : 1.0 } \n')],
    ['that is an error', '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'],
    [
      'that is an error of nobody',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}',
    ],
    ['that is long', envelope(`{"text":"${long}","more":[${'[1,"\\\\"],'.repeat(9000)}0]}`)],
  ])('%s passes to the byte', (_, text) => {
    for (const pieces of [1, 2, 17]) expect(ask(body(text, {}, pieces)).text).toBe(text)
    expect(ask(body(text, { length: undefined })).text).toBe(text)
  })

  test.each([
    ['is empty', ''],
    ['is a scalar', '42'],
    ['is a batch', `[${envelope('{}')}]`],
    ['breaks off', envelope('{"a":"b"}').slice(0, -9)],
    ['is followed by another', envelope('{}') + envelope('{}')],
    ['answers another request', envelope('{}', '2')],
    ['answers under the id as a text', envelope('{}', '"1"')],
    ['has no id', '{"jsonrpc":"2.0","result":{}}'],
    ['names its id twice', '{"jsonrpc":"2.0","id":1,"id":1,"result":{}}'],
    ['has two results', '{"jsonrpc":"2.0","id":1,"result":{},"result":{"a":1}}'],
    ['names a member of the result twice', envelope('{"content":[],"content":[1]}')],
    ['has another Result', '{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}'],
    ['is a request', '{"jsonrpc":"2.0","id":1,"method":"roots/list","result":{}}'],
    ['is of another JSON-RPC', '{"jsonrpc":"1.0","id":1,"result":{}}'],
    ['has a result and an error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
    ['has a list for a result', envelope('[]')],
    ['nests too deeply', envelope(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`)],
    ['has a raw line break in a string', envelope('{"a":"b\nc"}')],
    ['has a number that is none', envelope('{"a":01}')],
    ['begins with a byte order mark', `\ufeff${envelope('{}')}`],
    ['is HTML', '<html></html>'],
  ])('that %s is the failure of the server, and none of it is told', (_, text) => {
    for (const pieces of [1, 2, 17]) {
      const sink = ask(body(text, {}, pieces))
      expect([sink.error?.code, sink.wasSent]).toEqual(['upstream_broken', true])
      expect(sink.heads).toEqual([])
    }
  })

  test('in other bytes than UTF-8 is refused', () => {
    const bytes = Buffer.from(envelope('{"a":"é"}'), 'latin1')
    expect(ask(body(bytes)).error?.code).toBe('upstream_broken')
    expect(ask(body(Buffer.from(envelope('{}'), 'utf16le'))).error?.code).toBe('upstream_broken')
  })

  test('that turns out wrong after much of it went on never ends well', () => {
    for (const text of [
      `{"jsonrpc":"2.0","result":{"a":"${long}"},"id":2}`,
      envelope(`{"a":"${long}"}`).slice(0, -1),
      envelope(`{"a":"${long}","b":${'['.repeat(200)}${']'.repeat(200)}}`),
    ]) {
      const sink = ask(body(text, { length: undefined }, 20))
      expect(sink.heads).toHaveLength(1)
      expect(sink.error?.code).toBe('upstream_broken')
    }
  })

  test('streams on once it is clear what kind it is', () => {
    const told: number[] = []
    const sink = new RecordingSink()
    const inner: ReplySink[] = []
    const upstream = {
      exchange(_: UpstreamRequest, to: ReplySink) {
        inner.push(to)
        return { cancel() {} }
      },
    } as unknown as Upstream
    checkAnswers(upstream, undefined).exchange(call(), sink)
    const [to] = inner
    to?.head(head())
    const many = 'a'.repeat(20_000)
    for (const piece of ['{"jsonrpc":"2.0","id":1,"result":{"text":"', many, 'b', '"}}']) {
      to?.chunk(Buffer.from(piece))
      told.push(sink.chunks.length)
    }
    expect(told).toEqual([0, 2, 3, 4])
  })

  test('that is missing is the failure of the server', () => {
    const sink = ask(body('', { kind: 'empty', status: 204, length: 0 }))
    expect(sink.error?.code).toBe('upstream_broken')
  })

  test('under an error status passes if it is one, and else was not taken', () => {
    const text = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no session"}}'
    expect(ask(body(text, { status: 400 })).status).toBe(400)
    const sink = ask(body('{"error":"secret"}', { status: 500 }))
    expect([sink.error?.code, sink.wasSent]).toEqual(['upstream_broken', false])
    expect(sink.error?.message).toContain('HTTP 500')
  })

  test('to a response is thanks too', () => {
    const frame: Frame = { kind: 'response', id: 0, result: {}, error: undefined, text: '' }
    const sink = ask(
      (to) => {
        to.head(head({ kind: 'empty', status: 202 }))
        to.end()
      },
      { request: call({ frame }) },
    )
    expect(sink.error).toBeUndefined()
    expect(sink.status).toBe(202)
  })

  test('to a notification is thanks, whatever it says', () => {
    const sink = ask(body('"ok"'), { request: call({ frame: notification }) })
    expect([sink.status, sink.kind, sink.text]).toEqual([202, 'empty', ''])
  })
})

describe('the kind of a stateless result', () => {
  const modern = call({ era: 'modern', protocolVersion: '2026-07-28' })
  const typed = (text: string): RecordingSink => ask(body(text, {}, 9), { request: modern })

  test('is told with the head, wherever it stands', () => {
    const first = envelope('{"resultType":"input_required","requestState":"s"}')
    const last = envelope(`{"requestState":"${'s'.repeat(80_000)}","resultType":"input_required"}`)
    for (const text of [first, last]) {
      const sink = typed(text)
      expect(sink.heads[0]?.resultType).toBe('input_required')
      expect(sink.text).toBe(text)
    }
    expect(typed(envelope('{"content":[]}')).heads[0]?.resultType).toBeUndefined()
    expect(typed(envelope('{"resultType":5}')).heads[0]?.resultType).toBe('(5)')
    expect(typed(envelope('{"result\\u0054ype":"task"}')).heads[0]?.resultType).toBe('task')
  })

  test('that comes too late is refused', () => {
    const sink = typed(envelope(`{"text":"${long}","resultType":"input_required"}`))
    expect(sink.error?.code).toBe('upstream_broken')
  })
})

describe('a credential that the server repeats', () => {
  const secret = 'SECRET-OF-THE-SERVER'

  test('is written over in an answer, however it is cut', () => {
    const text = envelope(`{"content":[{"type":"text","text":"the key is ${secret}, yes"}]}`)
    for (let pieces = 1; pieces < 40; pieces++) {
      const sink = ask(body(text, {}, pieces), { secret })
      expect(sink.text).toBe(text.replace(secret, '*'.repeat(secret.length)))
    }
  })

  test('is written over in every event', () => {
    const sink = ask(
      (to) => {
        to.head(head({ kind: 'events' }))
        to.event({
          data: `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${secret}"}}`,
        })
        to.event({ data: envelope(`{"a":"${secret}"}`) })
        to.end()
      },
      { secret },
    )
    expect(sink.events).toHaveLength(2)
    expect(sink.events.join()).not.toContain(secret)
  })
})
