import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerScan } from './answer-scan.ts'
import { readWhole } from './whole-answer.ts'

/** What reading byte by byte makes of it: the kind of its result, or `refused`. */
function inFull(bytes: Uint8Array, id: number | string): string | undefined {
  const scan = new AnswerScan(id)
  const isAnswer = scan.push(bytes) && scan.end() === undefined
  return isAnswer ? scan.resultType : 'refused'
}

const key = fc.oneof(
  fc.constantFrom(
    'jsonrpc',
    'id',
    'result',
    'Result',
    'error',
    'method',
    'resultType',
    '__proto__',
  ),
  fc.string({ maxLength: 4 }),
)
const id = fc.constantFrom<number | string>(0, 1, -1, 2 ** 53, '', '1', 'ä', 'x"y')
const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null))
const result = fc.dictionary(key, fc.oneof(scalar, fc.dictionary(key, scalar), fc.array(scalar)))
/** What is nearly an answer: members in any order, some repeated, some odd. */
const nearly = fc
  .record({
    id,
    result,
    resultType: fc.option(fc.constantFrom('complete', 'input_required', 7), { nil: undefined }),
    more: fc.array(fc.tuple(key, scalar), { maxLength: 2 }),
    turn: fc.nat(),
    blank: fc.constantFrom('', ' ', '\n', '\ufeff', ','),
  })
  .map(({ id, result, resultType, more, turn, blank }) => {
    const typed = resultType === undefined ? result : { ...result, resultType }
    const usual = [
      ['jsonrpc', '2.0'],
      ['id', id],
      ['result', typed],
    ] as const
    const members = [...usual, ...more].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
    const from = turn % members.length
    const turned = [...members.slice(from), ...members.slice(0, from)]
    return { answer: `{${turned.join(',')}}${blank}`, id }
  })

test('what is taken for an answer at once is one when it is read in full', () => {
  let taken = 0
  fc.assert(
    fc.property(nearly, fc.option(id), ({ answer, id }, other) => {
      const asked = other ?? id
      const bytes = Buffer.from(answer)
      const whole = readWhole(bytes, asked)
      if (whole === undefined) return
      taken += 1
      expect(inFull(bytes, asked)).toBe(whole.resultType)
    }),
    { numRuns: 5000 },
  )
  expect(taken).toBeGreaterThan(100)
})

test.each([
  ['a result', '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}', true],
  ['members in another order', '{"result":{},"id":1,"jsonrpc":"2.0"}', true],
  ['another id', '{"jsonrpc":"2.0","id":2,"result":{}}', false],
  ['the id as a text', '{"jsonrpc":"2.0","id":"1","result":{}}', false],
  ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', false],
  ['a repeated result', '{"jsonrpc":"2.0","id":1,"result":{},"result":{"a":1}}', false],
  ['a repeated name far inside', '{"jsonrpc":"2.0","id":1,"result":{"a":{"b":1,"b":2}}}', false],
  ['an escaped name', '{"jsonrpc":"2.0","id":1,"re\\u0073ult":{}}', false],
  ['two values', '{"jsonrpc":"2.0","id":1,"result":{}}{}', false],
  ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"result":{}}', false],
])('%s is taken at once: %s (%s)', (_, answer, isTaken) => {
  expect(readWhole(Buffer.from(answer), 1) !== undefined).toBe(isTaken)
})

test('bytes that are no text are never taken at once', () => {
  const bytes = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"a":"\xff"}}', 'latin1')
  expect(readWhole(bytes, 1)).toBeUndefined()
})
