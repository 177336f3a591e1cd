import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLineFraming, idFromEnds } from './line-framing.ts'

const frame = (maxBytes: number, chunks: readonly Buffer[]) => {
  const lines: string[] = []
  const tooLong: number[] = []
  const framing = createLineFraming(maxBytes, {
    line: (bytes) => lines.push(bytes.toString()),
    tooLong: (_head, _tail, total) => tooLong.push(total),
  })
  for (const chunk of chunks) framing.push(chunk)
  framing.end()
  return { lines, tooLong }
}

/** The text's bytes, cut at the given places. */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [0, ...places.map((p) => p % (bytes.length + 1)).toSorted((a, b) => a - b)]
  return sorted.map((from, i) => bytes.subarray(from, sorted[i + 1] ?? bytes.length))
}

describe('a line framing', () => {
  test('gives the same lines however the bytes are cut, also inside a character', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((s) => !/[\r\n]/.test(s))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))),
        fc.array(fc.nat()),
        (parts, places) => {
          const bytes = Buffer.from(parts.flat().join(''))
          expect(frame(1_000_000, cut(bytes, places)).lines).toEqual(
            parts.map(([text]) => text).filter((text) => text !== ''),
          )
        },
      ),
    )
  })

  test('takes what stands without a line end at the end for a line', () => {
    expect(frame(100, [Buffer.from('a\nb')]).lines).toEqual(['a', 'b'])
  })

  test('skips a line that is too long, tells its length, and goes on with the next', () => {
    const long = Buffer.alloc(1_000_000, 'x')
    const chunks = [Buffer.from('a\n'), long, long, long, Buffer.from('x\nb\n')]
    expect(frame(1_500_000, chunks)).toEqual({ lines: ['a', 'b'], tooLong: [3_000_001] })
  })

  test('holds a line of exactly the bound', () => {
    expect(frame(5, [Buffer.from('12345\n123456\n1\n')])).toEqual({
      lines: ['12345', '1'],
      tooLong: [6],
    })
  })
})

describe('the id of a message that is too long', () => {
  const ends = (text: string) =>
    idFromEnds(Buffer.from(text.slice(0, 40)), Buffer.from(text.slice(-40)))
  const filler = 'x'.repeat(200)

  test('is found where the SDKs write it: first or last', () => {
    expect(ends(`{"jsonrpc":"2.0","id":7,"result":"${filler}"}`)).toBe(7)
    expect(ends(`{"id":"a","result":"${filler}","jsonrpc":"2.0"}`)).toBe('a')
    expect(ends(`{"result":"${filler}","jsonrpc":"2.0","id":0}`)).toBe(0)
    expect(ends(`{"result":"${filler}","id":"","jsonrpc":"2.0"}`)).toBe('')
  })

  test('is never an id from inside the message', () => {
    expect(ends(`{"result":{"big":"${filler}","x":{"y":1,"id":7}}}`)).toBeUndefined()
    expect(ends(`{"result":{"id":7,"big":"${filler}"}}`)).toBeUndefined()
    expect(ends(`{"result":"${filler} ,\\"id\\":7}"}`)).toBeUndefined()
  })
})
