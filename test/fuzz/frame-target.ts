import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ExactNumber } from '../../src/core/json/exact-number.ts'
import { isObject, type Json, member } from '../../src/core/json/json.ts'
import { parseFrame } from '../../src/core/mcp/frame.ts'
import type { Frame } from '../../src/core/mcp/frame-model.ts'
import { objectsIn, readStrictly, type Strict } from './strict-json.ts'
import type { FuzzTarget } from './target.ts'

const cases = (file: string): readonly string[] => {
  const text = readFileSync(new URL(`../cases/frames/${file}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { text?: string }[]).flatMap((c) => c.text ?? [])
}

/** What Go, and others, would take a member for: the last whose name differs in case alone. */
const looselyNamed = (object: Strict | undefined, name: string): Strict | undefined =>
  object?.type === 'object'
    ? object.members.findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
    : undefined

const firstNamed = (object: Strict | undefined, name: string): Strict | undefined =>
  object?.type === 'object' ? object.members.find(([key]) => key === name)?.[1] : undefined

/** True when the value that was judged is the value that stands in the text. */
function isSame(judged: Json | undefined, read: Strict | undefined): boolean {
  if (judged === undefined || read === undefined) return judged === undefined && read === undefined
  switch (read.type) {
    case 'word':
      return String(judged) === read.value && typeof judged !== 'string'
    case 'string':
      return judged === read.value
    case 'number':
      return judged instanceof ExactNumber
        ? judged.text === read.text
        : typeof judged === 'number' && isExact(judged, read.text)
    case 'array':
      return (
        Array.isArray(judged) &&
        judged.length === read.items.length &&
        read.items.every((item, i) => isSame(judged[i], item))
      )
    case 'object':
      return (
        isObject(judged) &&
        Object.keys(judged).length === read.members.length &&
        read.members.every(([key, item]) => isSame(member(judged, key), item))
      )
    default:
      return read satisfies never
  }
}

/** Digits without what a number's notation adds: `1.50e3` and `1500` are both 15 at the same place. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  return `${sign}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`
}

const isExact = (double: number, text: string): boolean => decimal(String(double)) === decimal(text)

/** A text that is accepted means one thing to everybody. */
function checkAccepted(text: string, frame: Frame): void {
  strictEqual(frame.text, text)
  strictEqual(Buffer.from(text, 'utf8').toString('utf8'), text)
  const read = readStrictly(text)
  ok(read?.type === 'object', 'a second reader takes it for no object')
  for (const members of objectsIn(read)) {
    const keys = members.map(([key]) => key)
    const forms = keys.map((key) => key.normalize('NFKC').toLowerCase())
    strictEqual(new Set(keys).size, keys.length, 'a key is repeated')
    strictEqual(new Set(forms).size, keys.length, 'two keys differ in form alone')
  }
  strictEqual(looselyNamed(read, 'jsonrpc'), firstNamed(read, 'jsonrpc'))
  deepStrictEqual(firstNamed(read, 'jsonrpc'), { type: 'string', value: '2.0' })
  for (const name of ['id', 'method', 'params', 'result', 'error'])
    strictEqual(looselyNamed(read, name), firstNamed(read, name), `${name} has two readings`)
  const params = firstNamed(read, 'params')
  for (const name of ['name', 'uri', 'arguments', 'taskId', '_meta', 'ref', 'requestState'])
    strictEqual(looselyNamed(params, name), firstNamed(params, name), `${name} has two readings`)
  ok(isSame(frame.kind === 'notification' ? undefined : frame.id, firstNamed(read, 'id')), 'the id')
  if (frame.kind === 'response') {
    ok(isSame(frame.result, firstNamed(read, 'result')), 'the result')
    ok(isSame(frame.error, firstNamed(read, 'error')), 'the error')
    strictEqual(firstNamed(read, 'method'), undefined)
  } else {
    ok(isSame(frame.method, firstNamed(read, 'method')), 'the method')
    ok(isSame(frame.params, params ?? { type: 'object', members: [] }), 'the params')
  }
  checkAgain(text, frame)
}

/** What is written anew is the same frame; only exact numbers can't be. */
function checkAgain(text: string, frame: Frame): void {
  const written = JSON.stringify(JSON.parse(text))
  const again = parseFrame(written)
  const kept = readStrictly(text)
  const lost = readStrictly(written)
  if (kept === undefined || lost === undefined || countNumbers(kept) !== countNumbers(lost)) return
  ok(again.ok, 'its own rewriting is refused')
  if (again.frame.kind !== 'response' && frame.kind !== 'response')
    strictEqual(again.frame.method, frame.method)
  strictEqual(again.frame.kind, frame.kind)
}

const countNumbers = (value: Strict): string =>
  value.type === 'number'
    ? `${decimal(value.text)};`
    : value.type === 'array'
      ? value.items.map(countNumbers).join('')
      : value.type === 'object'
        ? value.members.map(([, item]) => countNumbers(item)).join('')
        : ''

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** How often something occurs, roughly. */
const few = (count: number): string => (count > 1 ? 'many' : String(count))

/** The reader of what clients send: whatever is accepted has one meaning. */
export const frameTarget: FuzzTarget = {
  name: 'frame',
  isBytes: false,
  seeds: ['envelope', 'syntax', 'duplicate-keys', 'folded-keys', 'encodings'].flatMap(cases),
  words: [
    ...['"jsonrpc":"2.0"', '"id":1', '"method":"tools/call"', '"params":{', '"name":"x"', ',', ':'],
    ...['"arguments":{', '"_meta":{', '"result":{}', '"error":{}', '"uri":"file:///a"', '{}', '[]'],
    ...[
      '1e400',
      '-0',
      '0.1',
      '12345678901234567890',
      '1E1',
      'null',
      'true',
      '""',
      '\\"',
      '\\u0000',
    ],
    ...['\\ud83d', '\\ude00', '"__proto__":', '"constructor":', '"Name":', '\\u004eame', '}', ']'],
    ...['"io.modelcontextprotocol/protocolVersion":"2026-07-28"', '"progressToken":1', '[[[[[[[['],
  ],
  check(text) {
    const result = parseFrame(text)
    if (result.ok) checkAccepted(text, result.frame)
    else if (result.code === 'frame_not_json') ok(!parses(text), 'JSON is called none')
    if (!parses(text)) ok(!result.ok, 'what is no JSON is accepted')
    strictEqual(readStrictly(text) !== undefined, parses(text), 'the second reader is wrong')
    const what = result.ok
      ? `${result.frame.kind} ${'id' in result.frame ? typeof result.frame.id : ''}`
      : `${result.code} ${result.detail.replace(/".*"/s, '…')} ${typeof result.id}`
    return [
      what,
      few(text.split('\\u').length - 1),
      /\d[eE]/.test(text) ? 'power' : '',
      /\d{16}/.test(text) ? 'long' : '',
      /[^\x20-\x7e]/.test(text) ? 'odd' : '',
    ].join('|')
  },
}
