import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { AnswerScan } from '../../src/gateway/answers/answer-scan.ts'
import { createRandom } from './random.ts'
import { readStrictly, type Strict } from './strict-json.ts'
import type { FuzzTarget } from './target.ts'

/** The id of the request that is answered. */
const ID = 7

const scan = (
  pieces: Iterable<Uint8Array>,
  large?: number,
): { problem: string | undefined; type?: string } => {
  const answer = new AnswerScan(ID, large)
  for (const piece of pieces) answer.push(piece)
  const problem = answer.end()
  return { problem, ...(answer.resultType === undefined ? {} : { type: answer.resultType }) }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  const random = createRandom(bytes.length)
  for (let at = 0; at < bytes.length; ) {
    const size = random.below(9)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const depthOf = (value: Strict): number =>
  value.type === 'object'
    ? 1 + Math.max(0, ...value.members.map(([, item]) => depthOf(item)))
    : value.type === 'array'
      ? 1 + Math.max(0, ...value.items.map(depthOf))
      : 0

const keysOf = (value: Strict | undefined): readonly string[] =>
  value?.type === 'object' ? value.members.map(([key]) => key) : []

const at = (value: Strict | undefined, key: string): Strict | undefined =>
  value?.type === 'object' ? value.members.find(([name]) => name === key)?.[1] : undefined

const isUnique = (keys: readonly string[]): boolean => new Set(keys).size === keys.length

/** Whether a text answers the request, judged from its whole. */
function isAnswer(text: string): boolean {
  const value = readStrictly(text)
  if (value?.type !== 'object' || depthOf(value) > 128) return false
  const keys = keysOf(value)
  if (!isUnique(keys) || keys.includes('method')) return false
  const [result, error, id] = [at(value, 'result'), at(value, 'error'), at(value, 'id')]
  const version = at(value, 'jsonrpc')
  if (version?.type !== 'string' || version.value !== '2.0') return false
  if ((result === undefined) === (error === undefined)) return false
  if ((result ?? error)?.type !== 'object' || !isUnique(keysOf(result))) return false
  if (error !== undefined && (id === undefined || (id.type === 'word' && id.value === 'null')))
    return true
  return id?.type === 'number' && Number(id.text) === ID
}

/** What a `resultType` that is no text must be seen as. */
const simple = (type: Strict | undefined): true | undefined =>
  type?.type === 'number' || type?.type === 'word' ? true : undefined

/** What is refused for the form of its names is refused by nobody else. */
const isOdd = (problem: string | undefined): boolean =>
  problem !== undefined && /form|too long|too many/.test(problem)

/** The reader of what servers answer, which builds nothing and needs no whole. */
export const answerTarget: FuzzTarget = {
  name: 'answer',
  isBytes: true,
  seeds: [
    '{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[{"type":"text","text":"a"}]}}',
    '{"result":{"content":[],"x":[1,-2.5e3,true,null,{}]},"jsonrpc":"2.0","id":7}',
    '{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no \\"such\\" \\u00e9"}}',
    '{"jsonrpc":"2.0","error":{},"id":null}',
    ` { "jsonrpc" : "2.0" , "id" : 7.0 , "result" : { "a" : ${'[['.repeat(60)}${']]'.repeat(60)} } } `,
  ],
  words: [
    ...['"jsonrpc":"2.0"', '"id":7', '"id":8', '"id":"7"', '"result":{', '"error":{', '"method":'],
    ...[
      '"resultType":"input_required"',
      '"resultType":1',
      '"Result":{}',
      '"a":',
      '{',
      '}',
      '[',
      ']',
    ],
    ...[
      ',',
      ':',
      'null',
      'true',
      '-0',
      '1e5',
      '01',
      '\\u0041',
      '\\',
      '\\x',
      '"',
      '\u00c3\u00a9',
      '['.repeat(130),
    ],
  ],
  check(input) {
    const bytes = Buffer.from(input, 'latin1')
    const whole = scan([bytes])
    for (const other of [
      scan(Array.from(bytes, (byte) => Uint8Array.of(byte))),
      scan(pieces(bytes)),
    ]) {
      strictEqual(other.problem === undefined, whole.problem === undefined, 'how it is cut matters')
      if (whole.problem === undefined) strictEqual(other.type, whole.type)
    }
    // What is skimmed is judged less, and never otherwise.
    for (const skimmed of [scan([bytes], 0), scan(pieces(bytes), 0)])
      if (whole.problem === undefined) deepStrictEqual(skimmed, whole)
      else if (skimmed.problem === undefined) ok(!/id|request|breaks off/.test(whole.problem))
    const isRight = isUtf8(bytes) && isAnswer(bytes.toString('utf8'))
    if (whole.problem === undefined) ok(isRight, 'what is no answer is taken for one')
    else if (!isOdd(whole.problem)) ok(!isRight, `an answer is refused: ${whole.problem}`)
    if (isRight && whole.problem === undefined) {
      const type = at(at(readStrictly(bytes.toString('utf8')), 'result'), 'resultType')
      if (type?.type === 'string') strictEqual(whole.type, type.value)
      else strictEqual(whole.type?.startsWith('('), simple(type))
    }
    return [
      whole.problem ?? 'answer',
      ['complete', 'input_required', undefined].indexOf(whole.type),
      input.includes('\\'),
      /[\x80-\xff]/.test(input),
      /\s/.test(input),
    ].join('|')
  },
}
