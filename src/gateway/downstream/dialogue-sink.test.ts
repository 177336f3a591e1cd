import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { frameOf, requestText } from '../../../test/fakes/frames.ts'
import { until } from '../../../test/fakes/until.ts'
import type { Head } from '../upstream/upstream.ts'
import { DialogueSink } from './dialogue-sink.ts'
import { createLineWriter } from './stdio-lines.ts'

const JSON_HEAD: Head = { status: 200, kind: 'json', length: undefined, session: undefined }
const reader = { isModern: false, protocolVersion: '2025-11-25' }

/** A sink for the request 1 over a channel whose reader takes a write when told to. */
function open(text = requestText(1, 'ping')) {
  const taken: string[] = []
  let next: (() => void) | undefined
  const output = new Writable({
    highWaterMark: 8,
    decodeStrings: false,
    write(chunk, _encoding, done) {
      taken.push(String(chunk))
      next = done
    },
  })
  const ends: unknown[] = []
  const writer = createLineWriter(output)
  const sink = new DialogueSink({
    frame: frameOf(text),
    reader,
    writer,
    openSession: () => undefined,
    over: (error) => ends.push(error?.code),
  })
  return { sink, writer, taken, ends, read: () => next?.() }
}

describe('an answer over the one channel of a client', () => {
  test('is held up on its way while the client does not read, and goes on when it does', async () => {
    const { sink, writer, taken, ends, read } = open()
    expect(writer.write('{"something":"before"}')).toBe(false)
    sink.head(JSON_HEAD)
    expect(sink.chunk(Buffer.from('{"jsonrpc":"2.0","id":1,'))).toBe(false)
    let isResumed = false
    sink.onDrain(() => {
      isResumed = true
    })
    expect(isResumed).toBe(false)
    read()
    await until(() => isResumed, 'the drain')
    expect(sink.chunk(Buffer.from('"result":{}}'))).toBe(true)
    sink.end()
    expect(taken.at(-1)).toBe('{"jsonrpc":"2.0","id":1,"result":{}}\n')
    expect(ends).toEqual([undefined])
  })

  test.each([
    ['of another request', '{"jsonrpc":"2.0","id":2,"result":{}}'],
    ['that is no message', '<html>'],
    [
      'of two messages',
      '{"jsonrpc":"2.0","id":1,"result":{}}\n{"jsonrpc":"2.0","id":1,"result":{}}',
    ],
  ])('%s becomes an error of the gateway, once', (_, body) => {
    const { sink, taken, ends } = open()
    sink.head(JSON_HEAD)
    sink.chunk(Buffer.from(body))
    sink.end()
    sink.end()
    expect(taken).toHaveLength(1)
    expect(JSON.parse(taken[0] ?? '')).toMatchObject({
      id: 1,
      error: { data: { code: 'upstream_broken' } },
    })
    expect(ends).toEqual(['upstream_broken'])
  })

  test('is one line, however it was written', () => {
    const { sink, taken } = open()
    sink.head(JSON_HEAD)
    sink.chunk(
      Buffer.from('{"jsonrpc":"2.0",\r\n"id":1,\n\n"result":{"a":"\\n\\nevent: endpoint"}}'),
    )
    sink.end()
    expect(taken.join('').match(/[\r\n]/g)).toEqual(['\n'])
  })

  test('is none for a notification', () => {
    const { sink, taken, ends } = open('{"jsonrpc":"2.0","method":"notifications/x"}')
    sink.head({ ...JSON_HEAD, kind: 'empty', status: 202 })
    sink.end()
    expect([taken, ends]).toEqual([[], [undefined]])
  })
})
