import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { serverDocument, serverPut } from './server.ts'
import { parseGrantDocument, parseServerDocument, parseStackDocument } from './stored.ts'

const tokenDigest = 'a'.repeat(64)

describe('a stored server', () => {
  test.each([
    { url: 'https://h' },
    { url: 'https://h', headers: { A: 'b' }, methods: ['x/y'] },
    { url: 'https://h', era: 'legacy' as const },
    { url: 'https://h', transport: 'sse' as const },
    { command: 'c' },
    { command: 'c', args: ['a'], env: { A: 'b' }, cwd: '/x', instances: 'shared' as const },
  ])('that was put as %j is read as it was stored', (put) => {
    const document = serverDocument(serverPut.parse(put))
    expect(parseServerDocument(JSON.stringify(document))).toEqual(document)
  })
  test('from before transports were told apart is read as `auto`', () => {
    const document = parseServerDocument('{"target":{"kind":"http","url":"x"}}')
    expect(document?.target).toMatchObject({ transport: 'auto' })
  })
  test.each([
    '',
    '[]',
    '{"target":{"kind":"ftp","url":"x"}}',
    '{"target":{"kind":"http"}}',
    '{"target":{"kind":"http","url":"x","headers":{"a":1}}}',
    '{"target":{"kind":"http","url":"x","transport":"ftp"}}',
    '{"target":{"kind":"stdio","command":"c"}}',
    '{"target":{"kind":"stdio","command":"c","instances":"shared","args":[1]}}',
    '{"target":{"kind":"http","url":"x"},"methods":[1]}',
    '{"target":{"kind":"http","url":"x"},"era":"old"}',
  ])('as %s is none', (text) => {
    expect(parseServerDocument(text)).toBeUndefined()
  })
})

describe('a stored grant', () => {
  test('is read with its dates', () => {
    const grant = {
      server: 'a',
      policy: 'p',
      tokenDigest,
      tags: { t: 1 },
      notBefore: 1,
      expiresAt: 2,
    }
    expect(parseGrantDocument(JSON.stringify(grant))).toEqual(grant)
  })
  test.each([
    { tokenDigest },
    { server: 'a' },
    { server: 'a', tokenDigest: 'A'.repeat(64) },
    { server: 'a', tokenDigest, expiresAt: '2027-01-01' },
    { server: 'a', tokenDigest, expiresAt: null },
    { server: 'a', tokenDigest, notBefore: {} },
    { server: 'a', tokenDigest, policy: 1 },
    { server: 'a', tokenDigest, tags: [] },
  ])('as %j is none', (value) => {
    expect(parseGrantDocument(JSON.stringify(value))).toBeUndefined()
  })
})

test('reading what is stored is total', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseServerDocument(text)
      parseGrantDocument(text)
    }),
  )
})

describe('a stored stack, and a grant of one,', () => {
  const stack = { name: 'work', policies: { a: 'p' } }
  test('are read as they were stored', () => {
    expect(parseStackDocument('{"servers":["a","b"]}')).toEqual({ servers: ['a', 'b'] })
    const grant = parseGrantDocument(JSON.stringify({ stack, tokenDigest }))
    expect(grant).toMatchObject({ stack, server: undefined })
  })
  test.each(['', '[]', '{}', '{"servers":"a"}', '{"servers":[1]}'])('%s is no stack', (text) => {
    expect(parseStackDocument(text)).toBeUndefined()
  })
  test.each([
    {},
    { server: 'a', stack },
    { stack: 'work' },
    { server: 'a', stack: 7 },
    { stack: { name: 'work', policies: { a: 1 } } },
    { server: 1, stack },
  ])('a grant of %j opens nothing', (opens) => {
    expect(parseGrantDocument(JSON.stringify({ tokenDigest, ...opens }))).toBeUndefined()
  })
})
