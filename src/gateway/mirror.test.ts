import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf } from '../../test/fakes/frames.ts'
import type { JsonObject } from '../core/json/json.ts'
import { parseNodes, toValue } from '../core/json/parse.ts'
import {
  fromHeader,
  type MirrorHeaders,
  mirrorMismatch,
  paramMismatch,
  toHeader,
} from './mirror.ts'

const headers = (
  more: Partial<MirrorHeaders> & { params?: Map<string, string> },
): MirrorHeaders => ({
  method: undefined,
  name: undefined,
  params: new Map(),
  ...more,
})
const call = frameOf('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}')

describe('a header value', () => {
  test('comes back as it was, and is visible ASCII on the way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const header = toHeader(value)
        expect(header).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/)
        expect(fromHeader(header)).toBe(value)
      }),
    )
  })

  test('a value that looks encoded is encoded', () => {
    expect(toHeader('=?base64?eA==?=')).not.toBe('=?base64?eA==?=')
    expect(fromHeader(toHeader('=?base64?eA==?='))).toBe('=?base64?eA==?=')
  })

  test.each([
    ['no padding', '=?base64?eA?='],
    ['another alphabet', '=?base64?_-8=?='],
    ['a blank inside', '=?base64?eA ==?='],
    ['bytes that are no UTF-8', '=?base64?/w==?='],
    ['an overlong encoding', '=?base64?wK8=?='],
  ])('%s stands for nothing', (_, header) => {
    expect(fromHeader(header)).toBeUndefined()
  })

  test('the marker is exact: another spelling is a literal', () => {
    expect(fromHeader('=?BASE64?eA==?=')).toBe('=?BASE64?eA==?=')
    expect(fromHeader('=?base64?eA==?')).toBe('=?base64?eA==?')
  })

  test('raw bytes beyond ASCII stand for nothing: readers decode them differently', () => {
    expect(fromHeader('cafÃ©')).toBeUndefined()
    expect(fromHeader('caf\u00e9')).toBeUndefined()
  })
})

describe('the mirrors of a frame', () => {
  test('agree when they repeat the body', () => {
    expect(
      mirrorMismatch(call, headers({ method: 'tools/call', name: 'read' }), true),
    ).toBeUndefined()
    const encoded = headers({ method: 'tools/call', name: '=?base64?cmVhZA==?=' })
    expect(mirrorMismatch(call, encoded, true)).toBeUndefined()
  })

  test.each([
    ['another method', { method: 'ping', name: 'read' }],
    ['the method in another case', { method: 'Tools/Call', name: 'read' }],
    ['another name', { method: 'tools/call', name: 'delete' }],
    ['the name in another case', { method: 'tools/call', name: 'Read' }],
    ['another name in the sentinel', { method: 'tools/call', name: '=?base64?ZGVsZXRl?=' }],
    ['a broken sentinel', { method: 'tools/call', name: '=?base64?%%?=' }],
    ['two names joined', { method: 'tools/call', name: 'read, read' }],
  ])('%s is refused in every era', (_, sent) => {
    expect(mirrorMismatch(call, headers(sent), true)).toBeDefined()
    expect(mirrorMismatch(call, headers(sent), false)).toBeDefined()
  })

  test('are required where there are no sessions, and may be absent where there are', () => {
    expect(mirrorMismatch(call, headers({}), true)).toContain('missing')
    expect(mirrorMismatch(call, headers({ method: 'tools/call' }), true)).toContain('missing')
    expect(mirrorMismatch(call, headers({}), false)).toBeUndefined()
  })

  test.each([
    ['resources/read', 'uri'],
    ['prompts/get', 'name'],
    ['tasks/get', 'taskId'],
  ])('of %s repeat its %s', (method, key) => {
    const frame = frameOf(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { [key]: 'x' } }))
    expect(mirrorMismatch(frame, headers({ method, name: 'x' }), true)).toBeUndefined()
    expect(mirrorMismatch(frame, headers({ method, name: 'y' }), true)).toBeDefined()
  })

  test('are not wanted for a request about a task that the stateless era does not have', () => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"tasks/result","params":{"taskId":"x"}}'
    const sent = headers({ method: 'tasks/result' })
    expect(mirrorMismatch(frameOf(text), sent, true)).toBeUndefined()
  })

  test('say nothing of a response', () => {
    const response = frameOf('{"jsonrpc":"2.0","id":1,"result":{}}')
    expect(mirrorMismatch(response, headers({ method: 'ping' }), true)).toBeUndefined()
  })
})

describe('mirrored arguments', () => {
  const mirrored = [{ path: ['order', 'region'], header: 'mcp-param-region' }]
  const judge = (region: string, header: string | undefined): string | undefined =>
    paramMismatch(
      toValue(parseNodes(`{"order":{"region":${region}}}`)) as JsonObject,
      headers({ params: new Map(header === undefined ? [] : [['mcp-param-region', header]]) }),
      mirrored,
    )

  test.each([
    ['"eu"', 'eu'],
    ['"é"', '=?base64?w6k=?='],
    ['42', '42'],
    ['42', '42.0'],
    ['42.0', '4.2e1'],
    ['true', 'true'],
    ['12345678901234567890', '12345678901234567890'],
    ['null', undefined],
  ])('%s agrees with the header %s', (argument, header) => {
    expect(judge(argument, header)).toBeUndefined()
  })

  test.each([
    ['"eu"', 'us'],
    ['"eu"', undefined],
    ['"42"', '42.0'],
    ['42', '0x2a'],
    ['42', '+42'],
    ['42', ' 42'],
    ['42', ''],
    ['0', ''],
    ['42', '42.00000000000000000001'],
    ['12345678901234567890', '12345678901234567891'],
    ['12345678901234567890', '12345678901234567000'],
    ['true', 'True'],
    ['true', '1'],
    ['null', 'null'],
    ['{"a":1}', '[object Object]'],
    ['["eu"]', 'eu'],
  ])('%s does not agree with the header %s', (argument, header) => {
    expect(judge(argument, header)).toBeDefined()
  })

  test('a path never leaves the object: no argument is found on a prototype', () => {
    const result = paramMismatch({}, headers({}), [
      { path: ['constructor', 'name'], header: 'mcp-param-x' },
    ])
    expect(result).toBeUndefined()
  })

  test('what is wrong is told without the value', () => {
    expect(judge('"S3CRET"', 'other')).not.toMatch(/S3CRET|other/)
  })
})
