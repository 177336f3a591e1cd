import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { uuid7, uuid7Source } from './uuid7.ts'

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const anyInstant = fc.integer({ min: 0, max: 2 ** 47 })
/** Bytes that look random enough and are the same each time. */
const fill = (bytes: Uint8Array): void => {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 167 + 13) % 256
}

describe('uuid7', () => {
  test('is a version 7 UUID that starts with its instant', () => {
    fc.assert(
      fc.property(anyInstant, fc.uint8Array({ minLength: 10, maxLength: 10 }), (at, random) => {
        const id = uuid7(at, random)
        expect(id).toMatch(FORM)
        expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(at)
      }),
    )
  })

  test('is the one of RFC 9562, appendix A.6', () => {
    const random = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f)
    expect(uuid7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })
})

describe('a source of ids', () => {
  test('gives ids in order, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(anyInstant, { maxLength: 50 }), (instants) => {
        const next = uuid7Source(fill)
        const ids = instants.map((at) => next(at))
        expect(ids).toEqual([...new Set(ids)].sort())
        for (const id of ids) expect(id).toMatch(FORM)
      }),
    )
  })

  test('gives ten thousand ids of one millisecond in order', () => {
    const next = uuid7Source(fill)
    const ids = Array.from({ length: 10_000 }, () => next(1_800_000_000_000))
    expect(ids).toEqual([...new Set(ids)].sort())
  })

  test('asks for random bytes a pool at a time', () => {
    let asked = 0
    const next = uuid7Source((bytes) => {
      asked += 1
      fill(bytes)
    })
    for (let i = 0; i < 512; i++) next(i)
    expect(asked).toBe(1)
    next(512)
    expect(asked).toBe(2)
  })
})
