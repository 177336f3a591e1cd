import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../core/errors.ts'
import { EventStreamParser, eventText } from './event-stream.ts'
import type { UpstreamEvent } from './upstream.ts'

const parse = (...chunks: readonly (string | Uint8Array)[]): UpstreamEvent[] => {
  const events: UpstreamEvent[] = []
  const parser = new EventStreamParser((event) => events.push(event))
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  return events
}

/** The bytes in pieces, cut at the given places. */
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const at = [...new Set(places.map((p) => p % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

const anyEvent: fc.Arbitrary<UpstreamEvent> = fc.record(
  {
    data: fc.string({ unit: 'grapheme' }).map((s) => s.replace(/[\r\n]+/g, '\n').trim()),
    id: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    retry: fc.stringMatching(/^[1-9]\d{0,5}$/),
  },
  { requiredKeys: ['data'] },
)

describe('an event stream', () => {
  test('gives the same events however its lines end and wherever its bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 5 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.array(fc.nat(), { maxLength: 12 }),
        (events, end, places) => {
          const text = events.map(eventText).join(':comment\n').replaceAll('\n', end)
          expect(parse(...cut(Buffer.from(text), places))).toEqual(events)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('every single byte may come alone', () => {
    const text = 'id: 7\r\ndata: é\r\ndata: 😀\r\n\r\ndata: two\r\rdata: three\n\n'
    const want = [{ data: 'é\n😀', id: '7' }, { data: 'two' }, { data: 'three' }]
    expect(parse(text)).toEqual(want)
    expect(parse(...[...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))).toEqual(want)
  })

  test.each(['\n\n', '\r\r', '\r\n\r\n', '\r\n\r'])(
    'an event is given with its last byte, %j',
    (end) => {
      expect(parse(`data: now${end}`)).toEqual([{ data: 'now' }])
    },
  )

  test('LF at the start of a piece belongs to the CR before it', () => {
    expect(parse('data: a\r', '\ndata: b\r', '\n\r', '\n')).toEqual([{ data: 'a\nb' }])
    expect(parse('data: a\r', '', '\n\r\n')).toEqual([{ data: 'a' }])
  })

  test('keeps the bytes of its data', () => {
    const data = '{"n":12345678901234567890,"x":1.0, "s":"\\u00e9 \u2028"}'
    expect(parse(`data: ${data}\n\n`)).toEqual([{ data }])
    expect(parse(`data:${data}\n\n`)).toEqual([{ data }])
    expect(parse(`data:  ${data}\n\n`)).toEqual([{ data: ` ${data}` }])
  })

  test('drops comments, unknown fields, odd ids and odd retries', () => {
    expect(parse(': hello\nevent: message\nfoo: bar\nid: a\0b\nretry: 1s\ndata\n\n')).toEqual([
      { data: '' },
    ])
    expect(parse(': only a comment\n\n')).toEqual([])
  })

  test('keeps a type that is not `message`, for one event', () => {
    expect(
      parse('event: endpoint\ndata: /x\n\nevent: message\ndata: a\n\nevent\ndata: b\n\n'),
    ).toEqual([{ data: '/x', event: 'endpoint' }, { data: 'a' }, { data: 'b' }])
  })

  test('an event that the stream cuts off is none', () => {
    expect(parse('data: whole\n\ndata: half\n')).toEqual([{ data: 'whole' }])
  })

  test('a byte order mark at its start is dropped', () => {
    expect(parse('\ufeffdata: a\n\n')).toEqual([{ data: 'a' }])
  })

  test('bytes that are no UTF-8 are refused', () => {
    expect(() => parse(Uint8Array.of(0x64, 0xff, 0x0a))).toThrow(GatewayError)
  })

  test('an event without an end is refused before it fills the memory, in time that grows with it', () => {
    const started = performance.now()
    const endless = (piece: string): void => {
      const bytes = Buffer.from(piece)
      const parser = new EventStreamParser(() => {})
      for (let sent = 0; sent < 40 << 20; sent += bytes.length) parser.push(bytes)
    }
    expect(() => endless('a'.repeat(64 << 10))).toThrow(GatewayError)
    expect(() => endless(`data: ${'a'.repeat(64 << 10)}\n`)).toThrow(GatewayError)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test('an event that is written and read again is the same', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(parse(eventText(event))).toEqual([event])
      }),
    )
  })
})
