import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventsOf, lastOf } from '../fakes/mcp-http.ts'
import {
  openRecordingUpstream,
  type RecordingUpstream,
  result,
} from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

/** Clients with sessions that come back, in front of a server that has none. */

const TOKEN = 'bridged-return-token-1'
const CALL = { method: 'tools/call', params: { name: 'take', arguments: { exact: 1 } } }
const ANSWER = { resultType: 'complete', content: [{ type: 'text', text: 'at last' }] }

let space: Space
let upstream: RecordingUpstream
beforeEach(async () => {
  space = new Space()
  upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
  space.file('policy.json', { version: '1', default: 'allow' })
})
afterEach(() => space.close())

const serve = (): Promise<Served> =>
  space.serve({
    servers: { stub: { url: upstream.url, era: 'modern' } },
    policies: { p: './policy.json' },
    grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
  })

interface Sent {
  readonly session?: string | undefined
  readonly lastEventId?: string
  readonly signal?: AbortSignal
}

const headersOf = ({ session, lastEventId }: Sent): Record<string, string> => ({
  accept: 'application/json, text/event-stream',
  authorization: `Bearer ${TOKEN}`,
  ...(session === undefined ? {} : { 'mcp-session-id': session }),
  ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
})

const post = (served: Served, message: object, sent: Sent = {}): Promise<Response> =>
  fetch(served.mcp('stub'), {
    method: 'POST',
    headers: { ...headersOf(sent), 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    ...(sent.signal === undefined ? {} : { signal: sent.signal }),
  })

async function open(served: Served): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { sampling: { tools: {} } },
    clientInfo: { name: 'bare', version: '3' },
  }
  const response = await post(served, { method: 'initialize', params })
  expect(lastOf(await response.text()).result?.protocolVersion).toBe('2025-11-25')
  return response.headers.get('mcp-session-id') ?? ''
}

/** Reads a stream until it holds the text. */
async function readUntil(response: Response, wanted: string): Promise<string> {
  let read = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    read += decoder.decode(chunk, { stream: true })
    if (read.includes(wanted)) break
  }
  return read
}

test('a session outlives the gateway with all that the server is told of its client', async () => {
  const first = await serve()
  const session = await open(first)
  first.program.kill('SIGKILL')
  await first.program.ended()
  const second = await serve()
  const answer = lastOf(await (await post(second, CALL, { session })).text())
  expect(answer.result?.content?.[0]?.text).toBe('done')
  const [call] = upstream.calls('take')
  expect(call?.message.params?._meta).toMatchObject({
    'io.modelcontextprotocol/clientCapabilities': { sampling: { tools: {} } },
    'io.modelcontextprotocol/clientInfo': { name: 'bare', version: '3' },
  })
})

test('a client that loses the stream of a call reads its answer when it comes back', async () => {
  const served = await serve()
  const session = await open(served)
  let finish = (): void => {}
  upstream.answer(({ message }, response) => {
    finish = () => result(response, message.id, ANSWER)
  })
  const gone = new AbortController()
  const response = await post(served, CALL, { session, signal: gone.signal })
  const begun = await readUntil(response, '\n\n')
  const lastEventId = /^id: ?(.+)$/m.exec(begun)?.[1] ?? ''
  expect(begun).toMatch(/^retry: ?\d+$/m)
  expect(eventsOf(begun)).toEqual([])
  gone.abort()
  const again = await fetch(served.mcp('stub'), { headers: headersOf({ session, lastEventId }) })
  expect(again.headers.get('content-type')).toContain('text/event-stream')
  finish()
  const message = lastOf(await readUntil(again, 'at last'))
  expect(message).toMatchObject({ id: 1, result: { content: ANSWER.content } })
  expect(upstream.calls('take')).toHaveLength(1)
  expect(upstream.calls('take')[0]?.wasAborted).toBe(false)
})

test('a session that its client ends takes its calls along, at the server too', async () => {
  const served = await serve()
  const session = await open(served)
  upstream.answer(() => {})
  const response = await post(served, CALL, { session })
  await readUntil(response, '\n\n')
  const ended = await fetch(served.mcp('stub'), {
    method: 'DELETE',
    headers: headersOf({ session }),
  })
  expect(ended.status).toBe(200)
  await until(() => upstream.calls('take')[0]?.wasAborted === true, 'the call to be aborted')
  expect((await post(served, CALL, { session })).status).toBe(404)
  expect(upstream.calls('take')).toHaveLength(1)
})

test('a batch of the one revision that has them is answered, each message by itself', async () => {
  const served = await serve()
  const params = {
    protocolVersion: '2025-03-26',
    capabilities: {},
    clientInfo: { name: 'b', version: '1' },
  }
  const opened = await post(served, { method: 'initialize', params })
  const session = opened.headers.get('mcp-session-id') ?? ''
  const response = await fetch(served.mcp('stub'), {
    method: 'POST',
    headers: { ...headersOf({ session }), 'content-type': 'application/json' },
    body: JSON.stringify([
      { jsonrpc: '2.0', id: 'a', ...CALL },
      { jsonrpc: '2.0', id: 'b', method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ]),
  })
  const answers = eventsOf(await response.text()).map((data) => JSON.parse(data))
  expect(answers).toHaveLength(2)
  expect(answers).toContainEqual({ jsonrpc: '2.0', id: 'b', result: {} })
  expect(answers.find(({ id }) => id === 'a').result.content[0].text).toBe('done')
})
