import { expect, test } from 'vitest'
import { modernStatus } from './error-status.ts'

const failed = (code: number): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message: 'm' } })

test.each([
  [404, -32601],
  [400, -32020],
  [400, -32021],
  [400, -32022],
  // What a tool or a resource says of its arguments is an answer like any other.
  [200, -32602],
  [200, -32603],
])('the status is %d for the error %d', (status, code) => {
  expect(modernStatus(failed(code))).toBe(status)
})

test('a result is 200, whatever it talks about', () => {
  const text = '"error": {"code": -32601}'
  const result = { error: { code: -32601 }, content: [{ type: 'text', text }] }
  expect(modernStatus(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))).toBe(200)
})
