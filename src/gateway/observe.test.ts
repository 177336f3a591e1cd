import { expect, test } from 'vitest'
import { grantDenying, serverOf } from '../../test/fakes/gate.ts'
import type { JsonObject } from '../core/json/json.ts'
import type { Tool } from '../core/policy/model.ts'
import { recordOf } from './observe.ts'
import type { Upstream } from './upstream/upstream.ts'

const keysOn = (args: JsonObject, properties: JsonObject = {}): readonly string[] => {
  const server = serverOf({} as Upstream)
  const known: Tool = { ...server.catalogue.describe('t'), isAdvertised: true, properties }
  const caller = {
    grant: grantDenying(),
    server,
    era: 'modern',
    protocolVersion: '2026-07-28',
    session: undefined,
    client: { name: '', version: '' },
    headers: [],
    mirrors: undefined,
  } as const
  const ending = {
    requestId: '1',
    method: 'tools/call',
    effect: 'allow',
    rule: '',
    message: '',
    mode: 'enforce',
    outcome: 'forwarded',
  } as const
  return recordOf(caller, { ...ending, tool: 't', known, args }, { id: '', at: 0, latencyMs: 0 })
    .argumentKeys
}

test('argument names are on record, short and few', () => {
  expect(keysOn({ amount: 1, customer_id: 2, 'é x': 3 })).toEqual(['amount', 'customer_id', 'é x'])
  expect(keysOn({ ['k'.repeat(5000)]: 1 })[0]).toHaveLength(128)
  expect(
    keysOn(Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, i]))),
  ).toHaveLength(64)
})

test.each([
  'sk_live_CANARYKEY00000000000000',
  'ghp_abcdefghijklmnopqrst',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
  'a8f5f167f44f4964e6c998dee827110c',
  'Bearer abcdefghijkl',
])('%s as an argument name is not on record', (secret) => {
  expect(keysOn({ [secret]: 1, a: 2 })).toEqual([`(secret, ${secret.length} characters)`, 'a'])
})

test('a name that the tool declares is on record, whatever it looks like', () => {
  const name = 'include_version_2_results'
  expect(keysOn({ [name]: 1 }, { [name]: {} })).toEqual([name])
})
