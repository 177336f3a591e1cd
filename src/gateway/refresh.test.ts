import { expect, test } from 'vitest'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { GatewayError } from '../core/errors.ts'
import type { Caller, Gate } from './gate.ts'
import { ensureListed } from './refresh.ts'
import type { ReplySink, Upstream, UpstreamRequest } from './upstream/upstream.ts'

/** A server that answers `tools/list` as told, one page after another. */
function listing(answer: (request: UpstreamRequest, sink: ReplySink) => void) {
  const asked: UpstreamRequest[] = []
  const upstream: Upstream = {
    exchange: (request, sink) => {
      asked.push(request)
      queueMicrotask(() => answer(request, sink))
      return { cancel() {} }
    },
    listen: () => ({ cancel() {} }),
    endSession: async () => 200,
    close: async () => {},
  }
  let now = 0
  const gate: Gate = { ...openGate().gate, elapsed: () => now }
  const caller: Caller = {
    grant: grantDenying(),
    server: serverOf(upstream),
    era: 'modern',
    protocolVersion: '2026-07-28',
    session: undefined,
    client: { name: '', version: '' },
    headers: [],
    mirrors: undefined,
  }
  return {
    asked,
    caller,
    pass: (ms: number) => {
      now += ms
    },
    ensure: (name: string, isNeeded = true) => ensureListed(gate, caller, name, isNeeded),
  }
}

const reply = (request: UpstreamRequest, sink: ReplySink, result: object): void => {
  const id = request.frame.kind === 'request' ? request.frame.id : undefined
  sink.head({ status: 200, kind: 'json', length: undefined, session: undefined })
  sink.chunk(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result })))
  sink.end()
}
const tools = (...names: readonly string[]) => ({ tools: names.map((name) => ({ name })) })

test('a name that is not known makes the list be asked for, page by page', async () => {
  const server = listing((request, sink) => {
    const isFirst = !request.frame.text.includes('"cursor"')
    reply(request, sink, isFirst ? { ...tools('a'), nextCursor: 'two' } : tools('b'))
  })
  await server.ensure('b')
  expect(server.asked).toHaveLength(2)
  expect(server.asked[1]?.frame.text).toContain('"cursor":"two"')
  for (const name of ['a', 'b']) expect(server.caller.server.catalogue.find(name)).toBeDefined()
  expect(server.ensure('b')).toBeUndefined()
})

test('a name that the list does not hold is asked for again, but not at once', async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  await server.ensure('x')
  expect(server.ensure('x')).toBeUndefined()
  server.pass(999)
  expect(server.ensure('x')).toBeUndefined()
  server.pass(1)
  await server.ensure('x')
  expect(server.asked).toHaveLength(2)
})

test('a name that needs no advertising does not make a whole list be asked for again', async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  await server.ensure('x', false)
  server.pass(1_000_000)
  expect(server.ensure('x', false)).toBeUndefined()
  expect(server.asked).toHaveLength(1)
})

test('callers that ask at once wait for one list', async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  await Promise.all([server.ensure('a'), server.ensure('b'), server.ensure('c')])
  expect(server.asked).toHaveLength(1)
})

test('a list that the server called changed is asked for, also for a known name', async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  await server.ensure('a')
  server.caller.server.refresh.isStale = true
  await server.ensure('a')
  expect(server.asked).toHaveLength(2)
  expect(server.ensure('a')).toBeUndefined()
})

test('a server that pages without end is left after so many pages', async () => {
  const server = listing((request, sink) => {
    reply(request, sink, { ...tools('a'), nextCursor: 'again' })
  })
  await server.ensure('x')
  expect(server.asked).toHaveLength(100)
})

test.each([
  ['an error', (request: UpstreamRequest, sink: ReplySink) => reply(request, sink, {})],
  [
    'a broken answer',
    (_: UpstreamRequest, sink: ReplySink) => {
      sink.head({ status: 200, kind: 'json', length: undefined, session: undefined })
      sink.chunk(Buffer.from('{"result":'))
      sink.end()
    },
  ],
  [
    'no connection',
    (_: UpstreamRequest, sink: ReplySink) =>
      sink.fail(new GatewayError('upstream_unreachable'), false),
  ],
])('%s leaves the name unknown, and the call goes on', async (_, answer) => {
  const server = listing(answer)
  await server.ensure('a')
  expect(server.caller.server.catalogue.find('a')).toBeUndefined()
  expect(server.caller.server.catalogue.isComplete).toBe(false)
})

test("the list is asked in the caller's own session and revision", async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  await server.ensure('a')
  expect(server.asked[0]).toMatchObject({ era: 'modern', grantId: 'grant-1', session: undefined })
  expect(server.asked[0]?.frame.text).toContain('io.modelcontextprotocol/protocolVersion')
})

test('an answer that comes after the server has hung up is fetched from where it stopped', async () => {
  const server = listing((request, sink) => {
    sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    const last = request.headers.includes('last-event-id')
    const id = server.asked[0]?.frame.kind === 'request' ? server.asked[0].frame.id : undefined
    if (last) sink.event({ data: JSON.stringify({ jsonrpc: '2.0', id, result: tools('a') }) })
    else sink.event({ data: '', id: 'e1', retry: '1' })
    sink.end()
  })
  const session: Caller['session'] = {
    id: 's',
    server: 'scripted',
    grantId: 'grant-1',
    upstream: 'u',
    protocolVersion: '2025-11-25',
    client: { name: '', version: '' },
    askable: [],
    asked: new Set(),
  }
  const { upstream } = server.caller.server
  const listened: (readonly string[])[] = []
  Object.assign(upstream, {
    listen: (request: UpstreamRequest, sink: ReplySink) => {
      listened.push(request.headers)
      return upstream.exchange({ ...request, frame: server.asked[0]?.frame } as never, sink)
    },
  })
  Object.assign(server.caller, { era: 'legacy', session })
  await server.ensure('a')
  expect(listened).toEqual([['last-event-id', 'e1']])
  expect(server.caller.server.catalogue.find('a')).toBeDefined()
})

test('the list is asked for as the client would ask: what a server offers may depend on it', async () => {
  const server = listing((request, sink) => reply(request, sink, tools('a')))
  const about = {
    'io.modelcontextprotocol/clientInfo': { name: 'its own', version: '7' },
    'io.modelcontextprotocol/clientCapabilities': { roots: {} },
  }
  const caller = {
    ...server.caller,
    envelope: { ...about, 'vendor/secret': 'x', progressToken: 1 },
  }
  await ensureListed(openGate().gate, caller, 'a', true)
  const { frame } = server.asked[0] as UpstreamRequest
  expect(JSON.parse(frame.text).params._meta).toEqual({
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    ...about,
  })
})
