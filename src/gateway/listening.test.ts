import { describe, expect, test } from 'vitest'
import { answeringUpstream } from '../../test/fakes/answering-upstream.ts'
import { grantDenying, openGate, serverOf } from '../../test/fakes/gate.ts'
import { RecordingAnswers } from '../../test/fakes/recording-answers.ts'
import { GatewayError } from '../core/errors.ts'
import type { Grant } from '../core/snapshot.ts'
import type { Gate } from './gate.ts'
import { Listening } from './listening.ts'
import type { LiveSession } from './sessions.ts'
import type { Head } from './upstream/upstream.ts'

const events: Head = { status: 200, kind: 'events', length: undefined, session: 'the server’s' }

function listen({ isResumed = false, hidden = ['secret'] as readonly string[] } = {}) {
  const upstream = answeringUpstream(() => ({ result: { tools: [{ name: 'a' }, { name: 'b' }] } }))
  let grant: Grant | undefined = grantDenying(...hidden)
  const gate: Gate = { ...openGate().gate, grantOf: () => grant }
  const session: LiveSession = {
    id: 's',
    server: 'scripted',
    grantId: 'grant-1',
    upstream: 'u',
    protocolVersion: '2025-11-25',
    client: { name: '', version: '' },
    askable: ['roots'],
    asked: new Set(),
  }
  const server = serverOf(upstream)
  const caller = {
    grant,
    server,
    era: 'legacy',
    protocolVersion: '2025-11-25',
    session,
    client: session.client,
    headers: [],
    mirrors: undefined,
  } as const
  const sink = new RecordingAnswers()
  const listening = new Listening({ gate, caller, sink, isResumed })
  const hide = async (...names: readonly string[]): Promise<void> => {
    const next = grantDenying(...names)
    grant = { ...next, policy: next.policy && { ...next.policy, version: names.join() } }
    await gate.channels.changed(gate)
  }
  const say = (message: object, id?: string): void =>
    void listening.event({
      data: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(id === undefined ? {} : { id }),
    })
  const heard = (): unknown[] => sink.events.map((data) => JSON.parse(data))
  return { listening, sink, session, server, hide, say, heard }
}

describe('the stream of a session’s own', () => {
  test('carries the server’s messages and what the gateway has to tell, without its session id', async () => {
    const { listening, sink, say, hide, session } = listen()
    listening.head(events)
    expect(sink.session).toBeUndefined()
    say({ method: 'notifications/message', params: {} }, 'e1')
    say({ id: 'q', method: 'roots/list' })
    expect(sink.events).toHaveLength(2)
    expect([...session.asked]).toEqual(['q'])
    await hide('b')
    expect(sink.notes).toEqual(['{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'])
  })

  test('is served by the gateway where the server has none, as long as the client stays', async () => {
    const { listening, sink, hide } = listen()
    listening.fail(new GatewayError('verb_refused'), false)
    expect(sink.heads).toEqual([{ ...events, session: undefined }])
    await hide('a')
    expect(sink.notes).toHaveLength(1)
    listening.stop()
    await hide('b')
    expect(sink.notes).toHaveLength(1)
    expect(sink.isOver).toBe(false)
  })

  test('that the server refuses for any other reason is refused', () => {
    const { listening, sink } = listen()
    listening.fail(new GatewayError('session_unknown'), false)
    expect(sink.error?.code).toBe('session_unknown')
    expect(sink.heads).toEqual([])
  })

  test('that breaks off just ends: its client opens it again', () => {
    const { listening, sink } = listen()
    listening.head(events)
    listening.fail(new GatewayError('upstream_lost'), true)
    expect(sink.isOver).toBe(true)
    expect(sink.error).toBeUndefined()
  })

  test('carries no answer: that belongs on the stream of its request', () => {
    const { listening, sink, say } = listen()
    listening.head(events)
    say({ id: 1, result: { content: [] } })
    say({ id: 2, error: { code: 1, message: 'x' } })
    say({ jsonrpc: '1.0', method: 'notifications/message' })
    say({ id: {}, method: 'roots/list' })
    listening.event({ data: 'not JSON' })
    listening.event({ data: '[]' })
    expect(sink.events).toEqual([])
  })

  test('lets what the server says of its lists be known', () => {
    const { listening, say, server } = listen()
    listening.head(events)
    say({ method: 'notifications/tools/list_changed' })
    expect(server.refresh.isStale).toBe(true)
    server.catalogue.add('prompts/list', [{ name: 'p' }], {
      reading: 'r',
      isFirst: true,
      isLast: true,
    })
    say({ method: 'notifications/prompts/list_changed' })
    expect(server.catalogue.listed('prompts/list')).toBeUndefined()
  })
})

describe('a stream that is resumed', () => {
  const resume = () => {
    const made = listen({ isResumed: true })
    made.listening.head(events)
    return made
  }

  test('carries answers that are sent again, with their ids, and primes as before', () => {
    const { listening, sink, say } = resume()
    listening.event({ data: '', id: 'e0', retry: '500' })
    say({ id: 1, result: { content: [{ type: 'text', text: 'late' }] } }, 'e1')
    say({ id: 2, error: { code: -32603, message: 'x' } })
    expect(sink.events[0]).toBe('')
    expect(JSON.parse(sink.events[1] ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { content: [{ type: 'text', text: 'late' }] },
    })
    expect(sink.events).toHaveLength(3)
  })

  test('has its lists filtered again, whatever they answer', () => {
    const { say, heard } = resume()
    const lists = {
      tools: [{ name: 'secret' }, { name: 'a' }, { name: 'a' }],
      prompts: [{ name: 'p' }],
      resources: [{ uri: 'file:///r' }],
      nextCursor: 'the server’s own',
    }
    say({ id: 1, result: lists })
    const [{ result }] = heard() as [{ result: typeof lists }]
    expect(result.tools).toEqual([{ name: 'a' }])
    expect(result.prompts).toEqual(lists.prompts)
    expect(result.resources).toEqual(lists.resources)
    expect(result.nextCursor).not.toContain('the server')
    say({ id: 2, result: { tools: 'no list' } })
    expect(heard()).toHaveLength(2)
  })

  test('carries no list that could be read in two ways', () => {
    const { listening, sink } = resume()
    listening.event({
      data: '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"secret"}],"tools":[]}}',
    })
    expect(sink.events).toEqual([])
  })

  test('carries no answer to what the gateway itself asked', () => {
    const { sink, say } = resume()
    say({ id: 'sallyport-1', result: { tools: [{ name: 'a' }] } })
    expect(sink.events).toEqual([])
  })

  test('has what the server offers say that lists change', () => {
    const { say, heard } = resume()
    const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }
    say({ id: 1, result })
    expect(heard()).toEqual([
      {
        jsonrpc: '2.0',
        id: 1,
        result: { ...result, capabilities: { tools: { listChanged: true } } },
      },
    ])
  })
})
