import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Answer, BareClient, decisionOf, isForwarded } from '../fakes/mcp-http.ts'
import { StdioTalk } from '../fakes/mcp-stdio.ts'
import {
  openRecordingUpstream,
  type RecordingUpstream,
  result,
  said,
} from '../fakes/recording-upstream.ts'
import { Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'limits-token-0123456789'

let space: Space
let upstream: RecordingUpstream
beforeEach(async () => {
  space = new Space()
  upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
})
afterEach(() => space.close())

const policyWith = (limit: object) => ({
  version: '1',
  default: 'deny',
  tools: { take: { limits: [limit] }, peek: {} },
})

/** The gateway with one limit on `take`. */
async function serveWith(limit: object, url = upstream.url) {
  space.file('policy.json', policyWith(limit))
  const served = await space.serve({
    servers: { stub: { url } },
    policies: { p: './policy.json' },
    grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
  })
  return { served, client: new BareClient(served.mcp('stub'), TOKEN) }
}

const together = <T>(n: number, one: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => one(i)))

test.each([
  ['fixed', { counter: 'c', window: 'month', max: 7 }],
  ['sliding', { counter: 'c', window: 'hour', max: 7, algorithm: 'sliding' }],
])('a %s limit forwards exactly its maximum of many calls at once', async (_, limit) => {
  const { client } = await serveWith(limit)
  const answers = await together(40, () => client.call('take'))
  expect(upstream.calls()).toHaveLength(7)
  expect(answers.filter(isForwarded)).toHaveLength(7)
  const refused = answers.filter((answer) => !isForwarded(answer))
  for (const answer of refused) {
    expect(answer.status).toBe(200)
    expect(answer.message.result?.isError).toBe(true)
    expect(decisionOf(answer)).toMatchObject({
      effect: 'deny',
      rule: '/tools/take/limits/0',
      retryAfterSeconds: expect.any(Number),
    })
  }
  expect(isForwarded(await client.call('peek'))).toBe(true)
})

test('a concurrent limit holds as many calls in flight as it says, and counts none that ended', async () => {
  const { client } = await serveWith({ counter: 'c', max: 3, algorithm: 'concurrent' })
  const waiting: (() => void)[] = []
  upstream.answer(({ message }, response) => {
    waiting.push(() => result(response, message.id, said('done')))
  })
  const refused: Answer[] = []
  const answers = together(12, async () => {
    const answer = await client.call('take')
    if (!isForwarded(answer)) refused.push(answer)
    return answer
  })
  await until(() => waiting.length === 3 && refused.length === 9, 'three calls in flight')
  for (const answer of refused)
    expect(decisionOf(answer)).toMatchObject({ effect: 'deny', rule: '/tools/take/limits/0' })
  for (const answer of waiting.splice(0)) answer()
  expect((await answers).filter(isForwarded)).toHaveLength(3)
  upstream.answer(({ message }, response) => result(response, message.id, said('again')))
  for (let i = 0; i < 5; i += 1) expect(isForwarded(await client.call('take'))).toBe(true)
  expect(upstream.calls()).toHaveLength(8)
})

test('a limit with increment_from forwards exactly what its amount pays for', async () => {
  const { client } = await serveWith({
    counter: 'c',
    window: 'month',
    max: 100,
    increment_from: 'args.amount',
  })
  await together(30, () => client.call('take', { amount: 12.5 }))
  expect(upstream.calls()).toHaveLength(8)
  for (const amount of [0.000001, -1, '1', null])
    expect(isForwarded(await client.call('take', { amount }))).toBe(false)
  expect(isForwarded(await client.call('take'))).toBe(false)
  expect(isForwarded(await client.call('take', { amount: 0 }))).toBe(true)
  expect(upstream.calls()).toHaveLength(9)
})

test('serve and wrap on one data dir share the counter of a server', async () => {
  const { served, client } = await serveWith({
    counter: 'c',
    window: 'month',
    max: 20,
    scope: 'server',
  })
  const args = ['--config', 'sallyport.yaml', '--name', 'stub', '--policy', 'p']
  const talks = [1, 2].map(() => new StdioTalk(space.start(['wrap', ...args])))
  await Promise.all(talks.map((talk) => talk.initialize()))
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, async () => isForwarded(await client.call('take'))),
    ...talks.flatMap((talk) =>
      Array.from({ length: 20 }, async () => {
        const message = await talk.call('take')
        return message.result !== undefined && message.result.isError !== true
      }),
    ),
  ])
  expect(answers.filter(Boolean)).toHaveLength(20)
  expect(upstream.calls('take')).toHaveLength(20)
  expect(served.program.isOver).toBe(false)
})

test('a call that the server refused to take is given back', async () => {
  await upstream.close()
  const { client } = await serveWith({ counter: 'c', window: 'month', max: 2 })
  for (let i = 0; i < 4; i += 1) {
    const answer = await client.call('take')
    expect(answer.status).toBe(502)
    expect(answer.message.error?.data?.code).toBe('upstream_unreachable')
  }
  const again = await openRecordingUpstream(undefined, Number(new URL(upstream.url).port))
  space.later(() => again.close())
  again.answer((_, response) => response.writeHead(503).end())
  for (let i = 0; i < 4; i += 1) {
    const { error } = (await client.call('take')).message
    expect(error?.data?.code).toBe('upstream_broken')
  }
  again.answer(({ message }, response) => result(response, message.id, said('done')))
  const answers = await together(6, () => client.call('take'))
  expect(answers.filter(isForwarded)).toHaveLength(2)
})

const KEPT: readonly (readonly [string, Parameters<RecordingUpstream['answer']>[0]])[] = [
  [
    'a JSON-RPC error',
    ({ message }, response) => {
      const error = { code: -32000, message: 'no' }
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }))
    },
  ],
  [
    'a result with isError',
    ({ message }, response) => result(response, message.id, { ...said('no'), isError: true }),
  ],
  ['a connection that breaks before the answer', (_, response) => void response.destroy()],
  [
    'a stream that breaks before the answer',
    (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n', () =>
        response.destroy(),
      )
    },
  ],
]

test.each(KEPT)('a call that ends in %s stays counted', async (_, respond) => {
  const { client } = await serveWith({ counter: 'c', window: 'month', max: 2 })
  upstream.answer(respond)
  for (let i = 0; i < 2; i += 1) await client.call('take').catch(() => {})
  expect(decisionOf(await client.call('take'))?.rule).toBe('/tools/take/limits/0')
  expect(upstream.calls()).toHaveLength(2)
})
