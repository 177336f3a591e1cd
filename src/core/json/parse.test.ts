import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareNumbers, ExactNumber, exactly, maySkipDigits } from './exact-number.ts'
import type { Json } from './json.ts'
import { JsonSyntaxError, MAX_DEPTH, nodeOf, parseNodes, toValue } from './parse.ts'

const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  'u00',
  '0',
  '1',
  '-',
  '+',
  '.',
  'e',
  'true',
  'nul',
  ' ',
  '\n',
  '\u00a0',
  '\u0001',
  'é',
]

describe('parseNodes', () => {
  test('takes and refuses the same texts as JSON.parse', () => {
    const native = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: fc.constantFrom(...pieces), maxLength: 12 }), fc.json()),
        (text) => {
          let taken = true
          try {
            parseNodes(text)
          } catch (error) {
            expect(error).toBeInstanceOf(JsonSyntaxError)
            taken = false
          }
          expect(taken).toBe(native(text))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('gives the same values as JSON.parse where doubles hold them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(toValue(parseNodes(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('every node stands where it says', () => {
    const visit = (node: ReturnType<typeof parseNodes>, text: string): void => {
      expect(toValue(parseNodes(text.slice(node.start, node.end)))).toEqual(toValue(node))
      if (node.kind === 'array') for (const item of node.items) visit(item, text)
      if (node.kind === 'object')
        for (const m of node.members) {
          expect(JSON.parse(text.slice(m.keyStart, m.keyEnd))).toBe(m.key)
          visit(m.node, text)
        }
    }
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom(undefined, 1, '\t'),
        (v, space) => {
          const text = JSON.stringify(v, null, space)
          visit(parseNodes(text), text)
        },
      ),
    )
  })

  test('keeps both of a repeated key, and reads the last', () => {
    const node = parseNodes('{"a":1,"\\u0061":2}')
    expect(node.kind === 'object' && node.members.map((m) => m.key)).toEqual(['a', 'a'])
    expect(toValue(node)).toEqual({ a: 2 })
    expect(nodeOf(node, 'a')).toMatchObject({ value: 2 })
  })

  test('`__proto__` is a key like any other', () => {
    const value = toValue(parseNodes('{"__proto__":{"polluted":1}}')) as Record<string, Json>
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect('polluted' in value).toBe(false)
  })

  test('nests so deep and no deeper', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(() => parseNodes(nested(MAX_DEPTH))).not.toThrow()
    expect(() => parseNodes(nested(MAX_DEPTH + 2))).toThrow(JsonSyntaxError)
    expect(() => parseNodes(nested(200_000))).toThrow(JsonSyntaxError)
  })

  test('reads a string of many megabytes', () => {
    expect(toValue(parseNodes(`"${'a'.repeat(24_000_000)}"`))).toHaveLength(24_000_000)
  })

  test('gives up on an endless string in time that grows with it', () => {
    const started = performance.now()
    expect(() => parseNodes(`"${'a'.repeat(2_000_000)}`)).toThrow(JsonSyntaxError)
    expect(() => parseNodes(`"${'\\n'.repeat(1_000_000)}\u0001"`)).toThrow(JsonSyntaxError)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('exact numbers', () => {
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,3})?$/)

  test('a number is a double exactly when the double has the same value', () => {
    fc.assert(
      fc.property(digits, fc.boolean(), (text, isNegative) => {
        const sent = isNegative ? `-${text}` : text
        const number = exactly(sent)
        if (number instanceof ExactNumber) {
          expect(number.text).toBe(sent)
          // Nothing that only looks doubtful is kept as text: the scan must have warned of it.
          expect(maySkipDigits(sent) || !Number.isFinite(Number(sent))).toBe(true)
        } else expect(compareNumbers(number, new ExactNumber(sent))).toBe(0)
      }),
      { numRuns: 2000 },
    )
  })

  const sign = (order: number | undefined): number => Math.sign(order ?? Number.NaN)

  test('comparing is exact, and turns around', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        const want = a < b ? -1 : a > b ? 1 : 0
        expect(sign(compareNumbers(exactly(`${a}`), exactly(`${b}`)))).toBe(want)
        expect(sign(compareNumbers(exactly(`${b}`), exactly(`${a}`)))).toBe(0 - want)
      }),
    )
  })
})
