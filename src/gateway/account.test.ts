import { describe, expect, test } from 'vitest'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import type { Limit, LimitUse } from '../core/policy/model.ts'
import type { CounterStore } from '../core/ports.ts'
import type { Demand, Reservation } from '../core/quota/demand.ts'
import { account, readCounters } from './account.ts'
import type { Caller, Gate } from './gate.ts'
import type { Upstream } from './upstream/upstream.ts'

const unreachable: Upstream = {
  exchange: () => ({ cancel() {} }),
  listen: () => ({ cancel() {} }),
  endSession: async () => 200,
  close: async () => {},
}
const caller: Caller = {
  grant: grantDenying(),
  server: serverOf(unreachable),
  era: 'modern',
  protocolVersion: '2026-07-28',
  session: undefined,
  client: { name: '', version: '' },
  headers: [],
  mirrors: undefined,
}

const limit = (more: Partial<Limit> = {}): Limit => ({
  counter: 'calls',
  algorithm: 'fixed',
  window: 'minute',
  max: 10_000_000n,
  scope: 'grant',
  onError: 'deny',
  message: 'ten a minute',
  ...more,
})
const use = (more: Partial<LimitUse> = {}): LimitUse => ({
  pointer: '/tools/t/limits/0',
  limit: limit(),
  amount: 1_000_000n,
  mode: 'enforce',
  ...more,
})

/** A gate whose counters answer as told, and what they were asked. */
function gateWith(answer: () => Promise<Reservation>): {
  gate: Gate
  asked: (readonly Demand[])[]
  settled: string[]
} {
  const asked: (readonly Demand[])[] = []
  const settled: string[] = []
  const counters: CounterStore = {
    reserve: (demands) => {
      asked.push(demands)
      return answer()
    },
    settle: (id) => void settled.push(id),
    release: () => {},
    peek: async (demands) => demands.map(() => 2_500_000n),
  }
  return { gate: { ...openGate().gate, counters }, asked, settled }
}
const taken = async (): Promise<Reservation> => ({ ok: true, id: 'r1', remaining: [] })
const spent = (resetsAt: number | undefined) => async (): Promise<Reservation> => ({
  ok: false,
  exhausted: 0,
  used: 0n,
  resetsAt,
})
const broken = async (): Promise<Reservation> => {
  throw new Error('no such file')
}

describe('account', () => {
  test('a call without limits asks no counter', async () => {
    const { gate, asked } = gateWith(broken)
    expect(await account(gate, caller, [], 0)).toMatchObject({ ok: true, reservation: undefined })
    expect(asked).toEqual([])
  })

  test('all limits of a call are taken in one step', async () => {
    const { gate, asked } = gateWith(taken)
    const uses = [use(), use({ limit: limit({ counter: 'more' }) })]
    expect(await account(gate, caller, uses, 0)).toMatchObject({ ok: true, reservation: 'r1' })
    expect(asked.map((demands) => demands.length)).toEqual([2])
  })

  test('an exhausted limit refuses, with its rule and the seconds to wait', async () => {
    const { gate } = gateWith(spent(60_000))
    expect(await account(gate, caller, [use()], 1)).toEqual({
      ok: false,
      kind: 'exhausted',
      denial: {
        rule: '/tools/t/limits/0',
        message: 'ten a minute; try again in 60 s',
        retryAfterSeconds: 60,
      },
    })
  })

  test('never tells a caller to try again at once', async () => {
    const { gate } = gateWith(spent(1_000))
    const result = await account(gate, caller, [use()], 1_000)
    expect(result).toMatchObject({ denial: { retryAfterSeconds: 1 } })
  })

  test('a limit that no waiting helps says nothing of waiting', async () => {
    const { gate } = gateWith(spent(undefined))
    const result = await account(gate, caller, [use()], 0)
    expect(result).toMatchObject({ denial: { message: 'ten a minute' } })
    expect(JSON.stringify(result)).not.toContain('retryAfterSeconds')
  })

  test('a store that does not answer refuses the call, and says nothing of the store', async () => {
    const { gate } = gateWith(broken)
    const result = await account(gate, caller, [use()], 0)
    expect(result).toMatchObject({
      ok: false,
      kind: 'failed',
      denial: { rule: '/tools/t/limits/0' },
    })
    expect(JSON.stringify(result)).not.toContain('no such file')
  })

  test('a store that does not answer is passed only when every limit says so', async () => {
    const { gate } = gateWith(broken)
    const lenient = use({ limit: limit({ counter: 'soft', onError: 'allow' }) })
    expect(await account(gate, caller, [lenient], 0)).toMatchObject({ ok: true })
    expect(await account(gate, caller, [lenient, use()], 0)).toMatchObject({ ok: false })
  })

  test('a limit in observe mode binds nothing, and is told', async () => {
    const { gate } = gateWith(spent(60_000))
    const result = await account(gate, caller, [use({ mode: 'observe' })], 0)
    expect(result).toMatchObject({
      ok: true,
      reservation: undefined,
      observed: { rule: '/tools/t/limits/0' },
    })
  })

  test('a limit in observe mode still counts', async () => {
    const { gate, asked, settled } = gateWith(taken)
    await account(gate, caller, [use({ mode: 'observe' })], 0)
    expect(asked).toHaveLength(1)
    expect(settled).toEqual(['r1'])
  })
})

test('counters are read in whole units, by name', async () => {
  const { gate } = gateWith(taken)
  const values = await readCounters(gate, caller, [['calls', limit()]], 0)
  expect(values).toEqual(new Map([['calls', 2.5]]))
})
