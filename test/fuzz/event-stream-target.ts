import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { createParser } from 'eventsource-parser'
import { GatewayError } from '../../src/core/errors.ts'
import { EventStreamParser, eventText } from '../../src/gateway/upstream/event-stream.ts'
import type { UpstreamEvent } from '../../src/gateway/upstream/upstream.ts'
import { createRandom } from './random.ts'
import type { FuzzTarget } from './target.ts'

/** What came of a stream: its events, and whether it was refused after them. */
interface Reading {
  readonly events: readonly UpstreamEvent[]
  readonly isRefused: boolean
}

function read(pieces: Iterable<Uint8Array>): Reading {
  const events: UpstreamEvent[] = []
  const parser = new EventStreamParser((event) => events.push(event))
  try {
    for (const piece of pieces) parser.push(piece)
  } catch (thrown) {
    ok(thrown instanceof GatewayError, 'it throws something else')
    strictEqual(thrown.code, 'upstream_broken')
    return { events, isRefused: true }
  }
  return { events, isRefused: false }
}

/** The bytes in pieces whose sizes only depend on the bytes. */
function* pieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const random = createRandom(seed)
  for (let at = 0; at < bytes.length; ) {
    const size = random.below(9)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

/** How others read it: events that carry data, with their ids. */
function readElsewhere(text: string): { data: string; id?: string }[] {
  const out: { data: string; id?: string }[] = []
  const parser = createParser({
    onEvent: ({ data, id }) => out.push({ data, ...(id === undefined ? {} : { id }) }),
  })
  parser.feed(text.startsWith('\ufeff') ? text.slice(1) : text)
  return out.filter((event) => event.data !== '')
}

/** The reader of what servers stream: its events depend on the bytes alone. */
export const eventStreamTarget: FuzzTarget = {
  name: 'event-stream',
  isBytes: true,
  seeds: [
    'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    'id: 1\ndata: a\ndata: b\n\nid: 2\r\nretry: 500\r\ndata:\r\n\r\n',
    ': comment\n\nevent: message\ndata: one\rdata: two\r\rdata: three\r\n\r\n',
    '\u00ef\u00bb\u00bfdata: \u00f0\u009f\u0098\u0080\n\n',
    'data\n\nid\n\nretry: x\n\nid: a\0b\ndata: c\n\n',
  ],
  words: [
    ...[
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '\r\r',
      '\r\n\r\n',
      'data:',
      'data: ',
      'id:',
      'id: 1',
      'retry: 9',
    ],
    ...[
      'event: message\n',
      ':',
      ': ping\n',
      '\u00e2\u0080\u00a8',
      '\u00c3\u00a9',
      '\u00f0\u009f',
      '\0',
    ],
    ...['\u00ef\u00bb\u00bf', 'data: {}\n\n', 'Data: x\n', ' data: x\n', 'data:x', '\u0080'],
  ],
  check(input) {
    const bytes = Buffer.from(input, 'latin1')
    const whole = read([bytes])
    const singly = read(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    for (const other of [singly, read(pieces(bytes, bytes.length))]) {
      strictEqual(other.isRefused, whole.isRefused, 'how it is cut decides whether it is refused')
      // What comes whole is decoded whole: a refusal may then come before the events.
      if (!whole.isRefused) deepStrictEqual(other.events, whole.events)
    }
    const ended = Buffer.concat([bytes, Buffer.from('\n')])
    const all = read([ended])
    strictEqual(all.isRefused, !isUtf8(ended), 'it is refused for another reason than its bytes')
    if (!all.isRefused)
      deepStrictEqual(
        all.events
          .filter((event) => event.data !== '')
          .map(({ data, id }) => ({ data, ...(id === undefined ? {} : { id }) })),
        readElsewhere(ended.toString('utf8')),
      )
    for (const event of whole.events) {
      // Of what type it was is not told on: a client knows one type alone.
      const { event: _, ...told } = event
      const again = read([Buffer.from(eventText(event))])
      deepStrictEqual(again.events, [told], 'an event that is written is read as another')
    }
    const kinds = whole.events.map(
      (e) => `${e.data === ''}${e.id === undefined}${e.retry === undefined}`,
    )
    return [
      whole.isRefused,
      Math.min(3, whole.events.length),
      new Set(kinds).size,
      input.includes('\r\n'),
      /\r(?!\n)/.test(input),
      /[\x80-\xff]/.test(input),
      whole.events.some((e) => e.data.includes('\n')),
      input.startsWith('\u00ef\u00bb\u00bf'),
    ].join('|')
  },
}
