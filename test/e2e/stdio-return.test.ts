import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventsOf, lastOf } from '../fakes/mcp-http.ts'
import { type Served, Space } from '../fakes/space.ts'
import { SCRIPTED } from '../fakes/stdio-upstream.ts'

/** Clients with sessions that come back, in front of a process. */

const TOKEN = 'stdio-return-token-12'

let space: Space
beforeEach(() => {
  space = new Space()
  const tools = Object.fromEntries(
    ['postponed', 'seen', 'silent'].map((name) => [name, { action: 'allow' }]),
  )
  space.file('policy.json', { version: '1', default: 'allow', tools })
})
afterEach(() => space.close())

const serve = (): Promise<Served> =>
  space.serve({
    servers: { pipe: { command: process.execPath, args: [SCRIPTED], era: 'legacy' } },
    policies: { p: './policy.json' },
    grants: { test: { server: 'pipe', policy: 'p', token: TOKEN } },
  })

const headersOf = (more: Record<string, string> = {}): Record<string, string> => ({
  accept: 'application/json, text/event-stream',
  authorization: `Bearer ${TOKEN}`,
  ...more,
})

function post(served: Served, session: string | undefined, message: object, signal?: AbortSignal) {
  const more = session === undefined ? {} : { 'mcp-session-id': session }
  return fetch(served.mcp('pipe'), {
    method: 'POST',
    headers: headersOf({ ...more, 'content-type': 'application/json' }),
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    ...(signal === undefined ? {} : { signal }),
  })
}

const call = (id: number, name: string) => ({
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
})

async function open(served: Served): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bare', version: '3' },
  }
  const response = await post(served, undefined, { id: 0, method: 'initialize', params })
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

test('a client that loses the stream of a call to a process reads its answer when it comes back', async () => {
  const served = await serve()
  const session = await open(served)
  const gone = new AbortController()
  const response = await post(served, session, call(1, 'postponed'), gone.signal)
  const begun = await readUntil(response, '\n\n')
  const lastEventId = /^id: ?(.+)$/m.exec(begun)?.[1] ?? ''
  expect(begun).toMatch(/^retry: ?\d+$/m)
  expect(eventsOf(begun)).toEqual([])
  gone.abort()
  const again = await fetch(served.mcp('pipe'), {
    headers: headersOf({ 'mcp-session-id': session, 'last-event-id': lastEventId }),
  })
  expect(again.headers.get('content-type')).toContain('text/event-stream')
  // The postponed answer comes behind the answer to this.
  const seen = lastOf(await (await post(served, session, call(2, 'seen'))).text())
  expect(seen.result?.content?.[0]?.text).not.toContain('cancelled')
  const read = await readUntil(again, 'at last')
  expect(eventsOf(read)).toHaveLength(1)
  expect(lastOf(read)).toMatchObject({ id: 1, result: { content: [{ text: 'at last' }] } })
})

test('what is kept of a session goes with it', async () => {
  const served = await serve()
  const session = await open(served)
  const begun = await readUntil(await post(served, session, call(1, 'silent')), '\n\n')
  const lastEventId = /^id: ?(.+)$/m.exec(begun)?.[1] ?? ''
  expect(lastEventId).not.toBe('')
  const headers = headersOf({ 'mcp-session-id': session, 'last-event-id': lastEventId })
  const ended = await fetch(served.mcp('pipe'), { method: 'DELETE', headers })
  expect(ended.status).toBe(200)
  expect((await fetch(served.mcp('pipe'), { headers })).status).toBe(404)
})
