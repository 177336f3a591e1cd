import { beforeEach, describe, expect, test } from 'vitest'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { openStdio } from '../../test/fakes/stdio-upstream.ts'
import { isObject, type JsonObject, member } from '../core/json/json.ts'
import { parseFrame } from '../core/mcp/frame.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { MemoryCounters } from '../store/memory/counters.ts'
import type { Caller, Gate } from './gate.ts'
import { continueRound, sealRound } from './rounds.ts'

let gate: Gate
let caller: Caller

beforeEach(() => {
  gate = { ...openGate().gate, counters: new MemoryCounters() }
  caller = {
    grant: grantDenying(),
    server: serverOf(openStdio({}).upstream),
    era: 'modern',
    protocolVersion: '2026-07-28',
    session: undefined,
    client: { name: 'c', version: '1' },
    headers: [],
    mirrors: undefined,
  }
})

const frameOf = (params: string): RequestFrame => {
  const parsed = parseFrame(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`)
  if (!parsed.ok || parsed.frame.kind !== 'request') throw new Error('not a request')
  return parsed.frame
}

const CALL = '"name":"deploy","arguments":{"to":"stage","big":12345678901234567890}'
const asking = (state: string): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","x":1.0${state}}}`

/** The state that a client gets with an answer that asks for more. */
const sealed = (answer: string): string => {
  const text = sealRound(gate, caller, frameOf(`{${CALL}}`).params, answer)
  const message = JSON.parse(text) as JsonObject
  const result = member(message, 'result')
  const state = isObject(result) ? member(result, 'requestState') : undefined
  if (typeof state !== 'string') throw new Error('no state')
  expect(text).toContain('"x":1.0')
  return state
}

const again = (state: string, call = CALL) =>
  continueRound(gate, caller, frameOf(`{${call},"requestState":${JSON.stringify(state)},"z":2.0}`))

describe('a further round of a call', () => {
  test('is the same call once, and gives the server its own state back', async () => {
    const state = sealed(asking(',"requestState":"up+/=\\u2028"'))
    const first = await again(state)
    expect(first.isCounted).toBe(true)
    expect(JSON.parse(first.frame.text).params.requestState).toBe('up+/=\u2028')
    expect(first.frame.text).toContain('12345678901234567890')
    expect(first.frame.text).toContain('"z":2.0')
    const second = await again(state)
    expect(second.isCounted).toBe(false)
  })

  test('of a server without state goes on without one, wherever it stood', async () => {
    const state = sealed(asking(''))
    const { frame, isCounted } = await again(state)
    expect(isCounted).toBe(true)
    expect(JSON.parse(frame.text).params).not.toHaveProperty('requestState')
    const last = await continueRound(
      gate,
      caller,
      frameOf(`{${CALL},"requestState":${JSON.stringify(sealed(asking('')))}}`),
    )
    expect(JSON.parse(last.frame.text).params).not.toHaveProperty('requestState')
    expect(last.isCounted).toBe(true)
  })

  test('with other arguments, another tool or another grant is a new call', async () => {
    const state = sealed(asking(''))
    expect((await again(state, '"name":"deploy","arguments":{"to":"prod"}')).isCounted).toBe(false)
    expect((await again(state, CALL.replace('deploy', 'destroy'))).isCounted).toBe(false)
    caller = { ...caller, grant: { ...caller.grant, id: 'somebody-else' } }
    expect((await again(state)).isCounted).toBe(false)
  })

  test('with a state that is not ours passes it untouched, and is a new call', async () => {
    for (const state of ['mine', 'sp-round-1.', 'sp-round-1.AAAA']) {
      const { frame, isCounted } = await again(state)
      expect(isCounted).toBe(false)
      expect(frame.params.requestState).toBe(state)
    }
  })
})

test('an answer that asks for nothing stays as it came', () => {
  const text = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","requestState":"s"}}'
  expect(sealRound(gate, caller, {}, text)).toBe(text)
  expect(sealRound(gate, caller, {}, 'no json')).toBe('no json')
})
