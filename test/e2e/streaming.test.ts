import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BareClient, eventsOf, isForwarded, type Message } from '../fakes/mcp-http.ts'
import {
  openRecordingUpstream,
  type RecordingUpstream,
  result,
  said,
} from '../fakes/recording-upstream.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const TOKEN = 'streaming-token-0123456789'

let space: Space
let upstream: RecordingUpstream
let served: Served
let client: BareClient
beforeEach(async () => {
  space = new Space()
  upstream = await openRecordingUpstream()
  space.later(() => upstream.close())
  space.file('policy.json', { version: '1', default: 'deny', tools: { take: {}, peek: {} } })
  served = await space.serve({
    servers: { stub: { url: upstream.url } },
    policies: { p: './policy.json' },
    grants: { test: { server: 'stub', policy: 'p', token: TOKEN } },
  })
  client = new BareClient(served.mcp('stub'), TOKEN)
})
afterEach(() => space.close())

const event = (message: Message): string =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
const progress = (n: number, padding = ''): string =>
  event({ method: 'notifications/progress', params: { progressToken: 1, progress: n, padding } })
const answer = (id: Message['id']): string =>
  event({
    ...(id === undefined ? {} : { id }),
    result: { content: [{ type: 'text', text: 'done' }] },
  })

/** Answers the next call of `take` with a stream that the test writes. */
async function streaming(): Promise<{ stream: Promise<ServerResponse>; id: () => Message['id'] }> {
  let id: Message['id']
  const stream = new Promise<ServerResponse>((resolve) => {
    upstream.answer(({ message }, response) => {
      if (message.params?.name === 'peek') return result(response, message.id, said('done'))
      id = message.id
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.flushHeaders()
      resolve(response)
    })
  })
  return { stream, id: () => id }
}

test('every event is passed on when it comes, not when the answer is complete', async () => {
  const { stream, id } = await streaming()
  const opening = client.open('tools/call', { name: 'take', arguments: {} })
  const source = await stream
  const response = await opening
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let n = 1; n <= 3; n += 1) {
    source.write(progress(n))
    while (eventsOf(text).length < n) text += decoder.decode((await reader.read()).value)
  }
  source.end(answer(id()))
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value)
  }
  const events = eventsOf(text).map((data) => JSON.parse(data) as Message)
  expect(events.map(({ params }) => params?.progress)).toEqual([1, 2, 3, undefined])
  expect(events.at(-1)?.result?.content?.[0]?.text).toBe('done')
})

test('a call of a tool that the policy names does not wait for the list', async () => {
  upstream.withholdList()
  // The list is given up after ten seconds: an answer before that has not waited for it.
  const started = performance.now()
  expect(isForwarded(await client.call('peek'))).toBe(true)
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a client that stops reading bounds what the server can push, and loses nothing', async () => {
  const { stream, id } = await streaming()
  const opened = request(client.url, {
    method: 'POST',
    headers: client.headers('tools/call', 'take'),
  })
  opened.end(client.body('tools/call', { name: 'take', arguments: {} }))
  const source = await stream
  const total = 1_500
  const padding = 'x'.repeat(64 << 10)
  let pushed = 0
  const push = async (): Promise<void> => {
    for (let n = 1; n <= total; n += 1) {
      const mayFlow = source.write(progress(n, padding))
      pushed = n
      if (!mayFlow) await once(source, 'drain')
    }
    source.end(answer(id()))
  }
  const pushing = push()
  const [response] = (await once(opened, 'response')) as [IncomingMessage]
  response.pause()
  // It stands still when nothing more is taken while other calls go through.
  let still = 0
  for (let last = -1; still < 10; last = pushed) {
    expect(isForwarded(await new BareClient(client.url, TOKEN).call('peek'))).toBe(true)
    still = pushed === last ? still + 1 : 0
  }
  expect(pushed).toBeLessThan(total / 2)
  const seen: unknown[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks)
      for (const data of eventsOf(`${block}\n\n`)) {
        const message = JSON.parse(data) as Message
        seen.push(message.params?.progress ?? message.result?.content?.[0]?.text)
      }
  })
  response.resume()
  await pushing
  await once(response, 'end')
  expect(seen).toEqual([...Array.from({ length: total }, (_, i) => i + 1), 'done'])
})

test('a client that goes away ends the stream of the server', async () => {
  const { stream } = await streaming()
  const controller = new AbortController()
  const opening = client.open('tools/call', { name: 'take', arguments: {} }, controller.signal)
  const source = await stream
  source.write(progress(1))
  await opening
  controller.abort()
  await until(() => upstream.calls('take')[0]?.wasAborted === true, 'the server to see the end')
})

test('a stop lets what is in flight end, and takes nothing new', async () => {
  const { stream, id } = await streaming()
  const opening = client.open('tools/call', { name: 'take', arguments: {} })
  const source = await stream
  const response = await opening
  served.program.kill('SIGTERM')
  await served.program.event('gateway.stopping')
  await expect(client.call('peek')).rejects.toThrow()
  source.write(progress(1))
  source.end(answer(id()))
  expect(await response.text()).toContain('done')
  const start = performance.now()
  expect(await served.program.ended()).toEqual({ code: 0, signal: null })
  // Long before the grace that a call without an end would get.
  expect(performance.now() - start).toBeLessThan(4_000)
})

/** A stream that is read as it comes. */
async function reading(response: Response): Promise<{ text: () => string; over: Promise<void> }> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  const over = (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += new TextDecoder().decode(value)
    }
  })()
  await until(() => text.includes('acknowledged'), 'the acknowledgement')
  return { text: () => text, over }
}
const listenFor = () =>
  client.open('subscriptions/listen', { notifications: { toolsListChanged: true } })

test('a stop gives a subscription its result before it ends the stream', async () => {
  const { text, over } = await reading(await listenFor())
  served.program.kill('SIGTERM')
  await over
  const last = JSON.parse(eventsOf(text()).at(-1) ?? '') as Message
  expect(last.id).toBe(1)
  expect(last.result).toEqual({
    resultType: 'complete',
    _meta: { 'io.modelcontextprotocol/subscriptionId': 1 },
  })
  expect(await served.program.ended()).toEqual({ code: 0, signal: null })
})

test('a grant that is revoked ends what it has in flight, at the server too', async () => {
  const { stream } = await streaming()
  const opening = client.open('tools/call', { name: 'take', arguments: {} })
  const source = await stream
  source.write(progress(1))
  const calling = await opening
  const listening = await reading(await listenFor())
  space.file('sallyport.yaml', {
    version: 1,
    servers: { stub: { url: upstream.url } },
    policies: { p: './policy.json' },
  })
  await listening.over
  expect(eventsOf(listening.text()).at(-1)).toContain('"resultType":"complete"')
  expect(await calling.text()).not.toContain('done')
  await until(() => upstream.calls('take')[0]?.wasAborted === true, 'the server to see the end')
})

test('a stop ends the streams on which clients only listen', async () => {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${TOKEN}`,
  }
  upstream.listen((response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.flushHeaders()
  })
  const clientInfo = { name: 'bare', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await fetch(client.url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
  await opened.text()
  headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? ''
  const listening = await fetch(client.url, { headers })
  expect(listening.status).toBe(200)
  const start = performance.now()
  served.program.kill('SIGTERM')
  expect(await served.program.ended()).toEqual({ code: 0, signal: null })
  expect(performance.now() - start).toBeLessThan(4_000)
  await listening.text().catch(() => {})
})
