import { expect, test } from 'vitest'
import { answer, answeringUpstream } from '../../test/fakes/answering-upstream.ts'
import { frameOf, requestText } from '../../test/fakes/frames.ts'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { RecordingAnswers } from '../../test/fakes/recording-answers.ts'
import { until } from '../../test/fakes/until.ts'
import { GatewayError } from '../core/errors.ts'
import type { JsonObject } from '../core/json/json.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import type { Grant } from '../core/snapshot.ts'
import type { Caller, Gate } from './gate.ts'
import { Exchange } from './pipeline.ts'
import { kindsToTell } from './subscription.ts'
import type { ReplySink } from './upstream/upstream.ts'

const ID = 'io.modelcontextprotocol/subscriptionId'
const acknowledged = (notifications: object) =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications, _meta: { [ID]: 7 } },
  })
const changed = (kind: string) =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: `notifications/${kind}/list_changed`,
    params: { _meta: { [ID]: 7 } },
  })
const closing = { jsonrpc: '2.0', id: 7, result: { resultType: 'complete', _meta: { [ID]: 7 } } }

/** A subscription at a server that lists tools and prompts, and does with `listen` what it is told. */
async function subscribe(
  onListen: (sink: ReplySink, id: number) => JsonObject | GatewayError | undefined,
  notifications: JsonObject = { toolsListChanged: true, resourcesListChanged: true },
  isOffered = true,
) {
  const upstream = answeringUpstream(({ frame }, sink) => {
    if (frame.kind !== 'request') return undefined
    if (frame.method === 'subscriptions/listen') return onListen(sink, Number(frame.id))
    return { result: { tools: [{ name: 'a' }, { name: 'b' }] } }
  })
  let grant: Grant | undefined = grantDenying()
  const { gate: plain, records } = openGate()
  const gate: Gate = { ...plain, grantOf: () => grant }
  const server = serverOf(upstream)
  if (isOffered) server.offers.kinds = new Set(['tools', 'prompts'])
  const caller: Caller = {
    grant,
    server,
    era: 'modern',
    protocolVersion: '2026-07-28',
    session: undefined,
    client: { name: '', version: '' },
    headers: [],
    mirrors: undefined,
  }
  const sink = new RecordingAnswers()
  const text = requestText(7, 'subscriptions/listen', { notifications })
  const exchange = new Exchange(gate, caller, frameOf(text), sink)
  await exchange.run()
  await until(() => sink.events.length > 0 || sink.isOver, 'the subscription to begin')
  const hide = async (...names: readonly string[]): Promise<void> => {
    const next = grantDenying(...names)
    grant = { ...next, policy: next.policy && { ...next.policy, version: names.join() } }
    await gate.channels.changed(gate)
  }
  return { upstream, sink, exchange, hide, records, caller }
}

const accepting =
  (agreed: object) =>
  (sink: ReplySink): undefined => {
    sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    sink.event({ data: acknowledged(agreed) })
    return undefined
  }

test('the gateway tells of policy edits on a subscription that the server serves', async () => {
  const { sink, hide } = await subscribe(accepting({ resourcesListChanged: true }))
  expect(sink.events).toEqual([
    acknowledged({ resourcesListChanged: true, toolsListChanged: true }),
  ])
  await hide('b')
  expect(sink.notes).toEqual([changed('tools')])
})

test('a subscription that does not ask for changes of tools is not told of them', async () => {
  const { sink, hide } = await subscribe(accepting({}), { promptsListChanged: true })
  expect(sink.events).toEqual([acknowledged({ promptsListChanged: true })])
  await hide('b')
  expect(sink.notes).toEqual([])
})

test.each([
  ['an error of its own', () => ({ error: { code: -32601, message: 'Method not found' } })],
  ['no such method', () => new GatewayError('method_unknown')],
  [
    'HTTP 404',
    (sink: ReplySink, id: number): undefined => {
      answer(sink, { id, error: { code: -32601, message: 'no' } }, { status: 404 })
      return undefined
    },
  ],
  [
    'an error in a stream',
    (sink: ReplySink, id: number): undefined => {
      sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
      const error = { code: -32601, message: 'no' }
      sink.event({ data: JSON.stringify({ jsonrpc: '2.0', id, error }) })
      return undefined
    },
  ],
] as const)('a server without subscriptions (%s) is stood in for', async (_, refuse) => {
  const { sink, hide, exchange, records } = await subscribe(refuse)
  expect(sink.status).toBe(200)
  expect(sink.events).toEqual([acknowledged({ toolsListChanged: true })])
  await hide('a')
  expect(sink.notes).toEqual([changed('tools')])
  expect(sink.isOver).toBe(false)
  exchange.finish()
  expect(sink.message).toEqual(closing)
  expect(sink.isOver).toBe(true)
  expect(sink.faults).toEqual([])
  await hide('b')
  expect(sink.notes).toHaveLength(1)
  expect(records).toHaveLength(1)
})

test.each(['ends', 'breaks off'])(
  'a server that agrees to nothing and %s leaves the gateway to tell alone',
  async (how) => {
    const { sink, hide, exchange } = await subscribe((to, id) => {
      accepting({})(to)
      const data = JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete' } })
      if (how === 'ends') to.event({ data })
      if (how === 'ends') to.end()
      else to.fail(new GatewayError('upstream_lost'), true)
      return undefined
    })
    expect(sink.events).toEqual([acknowledged({ toolsListChanged: true })])
    expect(sink.isOver).toBe(false)
    await hide('a')
    expect(sink.notes).toEqual([changed('tools')])
    exchange.finish()
    expect(sink.message).toEqual(closing)
    expect(sink.faults).toEqual([])
  },
)

test('a subscription that the server agreed to ends when the server ends it', async () => {
  const end = { resultType: 'complete', _meta: { [ID]: 7 } }
  const { sink, hide } = await subscribe((to, id) => {
    accepting({ toolsListChanged: true })(to)
    to.event({ data: JSON.stringify({ jsonrpc: '2.0', id, result: end }) })
    to.end()
    return undefined
  })
  expect(sink.message.result).toEqual(end)
  expect(sink.isOver).toBe(true)
  await hide('a')
  expect(sink.notes).toEqual([])
})

test('a refusal passes when there is nothing that the gateway could tell', async () => {
  const refusal = { error: { code: -32601, message: 'Method not found' } }
  const { sink } = await subscribe(() => refusal, { resourceSubscriptions: ['file:///a'] })
  expect(sink.message).toEqual({ jsonrpc: '2.0', id: 7, ...refusal })
})

test.each([
  ['another error', () => ({ error: { code: -32602, message: 'bad filter' } }), undefined],
  ['no connection', () => new GatewayError('upstream_unreachable'), 'upstream_unreachable'],
])('%s of the server is passed on', async (_, fails, code) => {
  const { sink } = await subscribe(fails as () => JsonObject)
  expect(sink.error?.code).toBe(code)
  if (code === undefined) expect(sink.message.error?.code).toBe(-32602)
})

test('when the gateway ends a subscription it gives the answer that is due, and lets the server go', async () => {
  const { sink, exchange, upstream } = await subscribe(accepting({ toolsListChanged: true }))
  exchange.finish()
  expect(sink.message).toEqual(closing)
  expect(upstream.cancelled).toBe(1)
  exchange.finish()
  expect(sink.faults).toEqual([])
})

test('a client that goes away is told nothing any more', async () => {
  const { sink, exchange, hide, upstream } = await subscribe(accepting({ toolsListChanged: true }))
  exchange.cancel()
  await hide('a')
  expect(sink.notes).toEqual([])
  expect(upstream.cancelled).toBe(1)
})

test('what the server has said or listed is what the gateway tells of; before, tools', async () => {
  const { caller } = await subscribe(accepting({}), {}, false)
  const frame = frameOf(
    requestText(8, 'subscriptions/listen', {
      notifications: { toolsListChanged: true, promptsListChanged: true, x: true },
    }),
  ) as RequestFrame
  expect(kindsToTell(caller, frame)).toEqual(['tools'])
  const whole = { reading: 'r', isFirst: true, isLast: true }
  caller.server.catalogue.add('prompts/list', [], whole)
  expect(kindsToTell(caller, frame)).toEqual(['tools', 'prompts'])
  caller.server.offers.kinds = new Set(['prompts', 'resources'])
  expect(kindsToTell(caller, frame)).toEqual(['prompts'])
})
