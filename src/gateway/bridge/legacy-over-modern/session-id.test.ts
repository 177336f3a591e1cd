import { expect, test } from 'vitest'
import { ExactNumber } from '../../../core/json/exact-number.ts'
import { decodeSession, encodeSession, factsOf } from './session-id.ts'

const CLIENT = { name: 'c', version: '1' }

test('an id carries the facts of its session, to the last digit', () => {
  const facts = factsOf(
    {
      protocolVersion: '2025-06-18',
      capabilities: { experimental: { n: new ExactNumber('12345678901234567890') } },
      clientInfo: CLIENT,
    },
    true,
  )
  expect(facts.capabilities).toBe('{"experimental":{"n":12345678901234567890}}')
  expect(decodeSession(encodeSession(facts))).toEqual(facts)
})

test('two sessions of the same facts have different ids', () => {
  const facts = factsOf({ clientInfo: CLIENT }, false)
  expect(encodeSession(facts)).not.toBe(encodeSession(facts))
})

test('an id is short, whatever a client says of itself', () => {
  const long = '\u{1f600}"\\'.repeat(5_000)
  const facts = factsOf(
    {
      capabilities: { sampling: { tools: {} }, experimental: { long }, extensions: { long: {} } },
      clientInfo: { name: long, version: long, icons: [{ src: long }] },
    },
    true,
  )
  expect(JSON.parse(facts.capabilities)).toEqual({ sampling: { tools: {} } })
  expect(encodeSession(facts).length).toBeLessThan(4_000)
  const hostile = factsOf({ capabilities: { sampling: { long } }, clientInfo: CLIENT }, true)
  expect(hostile.capabilities).toBe('{}')
})

test.each([
  '',
  'lm1.',
  'lm1.!!',
  'lm1.W10',
  'lm2.W10',
  `lm1.${Buffer.from('[1,2,3,4,5]').toString('base64url')}`,
])('%j is no id of a session', (id) => {
  expect(decodeSession(id)).toBeUndefined()
})
