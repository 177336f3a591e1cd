import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseNodes, toValue } from '../json/parse.ts'
import { parseFrame } from './frame.ts'
import { parseJson } from './parse-json.ts'

const limit = { numRuns: 500 }

/** A JSON value as it is written: keys may repeat, which no parsed value could show. */
type Written =
  | { readonly literal: string }
  | { readonly items: readonly Written[] }
  | { readonly members: readonly (readonly [Key, Written])[] }

/** A key is a word in a spelling; two keys of one object may never be the same word. */
interface Key {
  readonly word: string
  readonly written: string
}

const escapedFirst = (word: string): string =>
  `\\u${word.charCodeAt(0).toString(16).padStart(4, '0')}${word.slice(1)}`
const wide = (word: string): string =>
  [...word].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join('')
const spellings: readonly ((word: string) => string)[] = [
  (word) => word,
  (word) => word.toUpperCase(),
  escapedFirst,
  wide,
  (word) => `${word.slice(0, 1)}\u200b${word.slice(1)}`,
  (word) => `${word}\\u0000`,
  (word) => `\ufeff${word}`,
  (word) => word.replace('s', 'ſ').replace('k', '\u212a'),
]
const words = ['amount', 'id', 'risk', '__proto__', 'constructor', 'x', 'name_']

const anyKey: fc.Arbitrary<Key> = fc
  .tuple(fc.constantFrom(...words), fc.constantFrom(...spellings))
  .map(([word, spell]) => ({ word, written: spell(word) }))
const plainKey: fc.Arbitrary<Key> = fc
  .constantFrom(...words)
  .map((word) => ({ word, written: word }))

const written = (key: fc.Arbitrary<Key>): fc.Arbitrary<Written> =>
  fc.letrec<{ value: Written }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc
        .constantFrom('1', '-0', '1.0', '12345678901234567890', 'true', 'null', '"a"', '":{"')
        .map((literal) => ({ literal })),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => ({ items })),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((members) => ({ members })),
    ),
  })).value

const blank = ['', ' ', '\n', '\t\r\n']
const print = (value: Written, gap: string): string => {
  if ('literal' in value) return value.literal
  if ('items' in value) return `[${gap}${value.items.map((i) => print(i, gap)).join(`,${gap}`)}]`
  const members = value.members.map(([k, v]) => `"${k.written}"${gap}:${gap}${print(v, gap)}`)
  return `{${members.join(`${gap},`)}${gap}}`
}

/** Read from how it was made, not from the text: does some object name a word twice? */
const isAmbiguous = (value: Written): boolean => {
  if ('literal' in value) return false
  if ('items' in value) return value.items.some(isAmbiguous)
  const names = value.members.map(([key]) => key.word)
  return new Set(names).size < names.length || value.members.some(([, v]) => isAmbiguous(v))
}

const callWith = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":${args}}}`

test('a call is accepted exactly when no object names the same word twice', () => {
  let refused = 0
  fc.assert(
    fc.property(
      fc.oneof(written(anyKey), written(plainKey)),
      fc.constantFrom(...blank),
      (args, gap) => {
        const result = parseFrame(callWith(print(args, gap)))
        if (isAmbiguous(args)) {
          refused++
          expect(result).toMatchObject({ ok: false, code: 'frame_invalid' })
        } else expect(result).toMatchObject({ ok: true })
      },
    ),
    { numRuns: 2000 },
  )
  expect(refused).toBeGreaterThan(50)
})

/** The other common reading of a JSON text: of a repeated key the first one counts. */
const firstWins = (node: ReturnType<typeof parseNodes>): unknown => {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'array') return node.items.map(firstWins)
  const out = new Map<string, unknown>()
  for (const m of node.members) if (!out.has(m.key)) out.set(m.key, firstWins(m.node))
  return out
}
const lastWins = (node: ReturnType<typeof parseNodes>): unknown => {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'array') return node.items.map(lastWins)
  return new Map(node.members.map((m) => [m.key, lastWins(m.node)]))
}

const fragments = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '1',
  'e9',
  '"id":',
  '"ID":2,',
  '\u0000',
  '\ud800',
  '\ufeff',
  ' ',
  '"name":"x",',
  'null',
]

test('parsing is total, and what it accepts has one reading', () => {
  let accepted = 0
  fc.assert(
    fc.property(
      written(plainKey),
      fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...fragments)), { maxLength: 3 }),
      (args, edits) => {
        let text = callWith(print(args, ''))
        for (const [place, cut, insert] of edits) {
          const at = place % (text.length + 1)
          text = text.slice(0, at) + insert + text.slice(at + cut)
        }
        const result = parseFrame(text)
        if (!result.ok) {
          expect(['frame_invalid', 'frame_not_json', 'params_invalid']).toContain(result.code)
          return
        }
        accepted++
        expect(result.frame.text).toBe(text)
        const nodes = parseNodes(text)
        expect(firstWins(nodes)).toEqual(lastWins(nodes))
        const { method, params } = toValue(nodes) as { method?: string; params?: unknown }
        if (result.frame.kind === 'response') expect(method).toBeUndefined()
        else {
          expect(result.frame.method).toBe(method)
          expect(result.frame.params).toEqual(params ?? {})
        }
      },
    ),
    { numRuns: 2000 },
  )
  expect(accepted).toBeGreaterThan(50)
})

test('any text at all gives a frame or a reason', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.string({ unit: fc.constantFrom(...fragments) }),
      ),
      (text) => {
        const result = parseFrame(text)
        if (!result.ok) expect(result.detail).not.toBe('')
      },
    ),
    limit,
  )
})

test('what it refuses is named without a value', () => {
  const secret = 'S3CRET-VALUE'
  fc.assert(
    fc.property(
      fc.constantFrom(
        `{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"${secret}","a":"${secret}"}}`,
        `{"jsonrpc":"2.0","id":1,"method":"m","params":["${secret}"]}`,
        `{"jsonrpc":"${secret}","id":1,"method":"m"}`,
        `{"jsonrpc":"2.0","id":1,"method":"m","params":{"A":"${secret}","a":1}}`,
        `"${secret}"`,
        `{"jsonrpc":"2.0","id":{"a":"${secret}"},"method":"m"}`,
      ),
      (text) => {
        const result = parseFrame(text)
        expect(result.ok).toBe(false)
        expect(JSON.stringify(result)).not.toContain(secret)
      },
    ),
  )
})

test('hostile sizes are refused in time that grows with the text, and without a stack', () => {
  const started = performance.now()
  const texts = [
    '['.repeat(1_000_000),
    '{"a":'.repeat(1_000_000),
    `"${'\\'.repeat(1_000_001)}`,
    `{"a":"${'\\"'.repeat(500_000)}"}`,
    callWith(`{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}}`),
    callWith(`{"n":1${'0'.repeat(1_000_000)}}`),
    callWith(`{"n":1e${'9'.repeat(1_000_000)}}`),
  ]
  for (const text of texts.slice(0, 5)) expect(parseFrame(text).ok).toBe(false)
  for (const text of texts.slice(5)) expect(() => parseFrame(text)).not.toThrow()
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a long string beside a doubtful number is read whole', () => {
  const text = callWith(`{"n":12345678901234567890,"s":"${'é'.repeat(3_000_000)}"}`)
  expect(parseFrame(text).ok).toBe(true)
})

describe('an escaped key', () => {
  // V8 13.6 takes a key as written for the key that followed in an object like it.
  test.each([
    ['{"a":1,"f\\\\u00":2}', '{"a":1,"f\\u006frce":2}', 'force'],
    ['{"q":1,"a\\\\/b":2}', '{"q":1,"a\\/bK":2}', 'a/bK'],
  ])('is what it stands for, whatever was read before', (before, after, key) => {
    const call = (args: string): string =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":${args}}}`
    for (let i = 0; i < 3; i++) expect(parseFrame(call(before)).ok).toBe(true)
    const read = parseFrame(call(after))
    const params = read.ok && read.frame.kind === 'request' ? read.frame.params : {}
    expect(Object.keys((params as { arguments: object }).arguments)).toContain(key)
    expect(Object.keys(parseJson(after) as object)).toContain(key)
  })
})
