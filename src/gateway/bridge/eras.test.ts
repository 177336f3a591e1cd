import { describe, expect, test } from 'vitest'
import {
  type AnsweringUpstream,
  answer,
  answeringUpstream,
  type Respond,
} from '../../../test/fakes/answering-upstream.ts'
import { frameOf, requestText } from '../../../test/fakes/frames.ts'
import { serverOf } from '../../../test/fakes/gate.ts'
import { RecordingSink } from '../../../test/fakes/recording-sink.ts'
import { until } from '../../../test/fakes/until.ts'
import { GatewayError } from '../../core/errors.ts'
import type { EraPin } from '../../core/snapshot.ts'
import type { Upstream, UpstreamRequest } from '../upstream/upstream.ts'
import { createTrouble } from './era-knowledge.ts'
import { speakBothEras } from './eras.ts'

/** A server that opens sessions and knows no other request without one. */
const legacyOnly: Respond = ({ frame, session }, sink) => {
  if (frame.kind !== 'request') return undefined
  if (frame.method === 'initialize') {
    const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} }
    answer(sink, { id: frame.id, result }, { session: 'its-own' })
    return undefined
  }
  if (session !== undefined) return { result: { of: 'legacy' } }
  answer(sink, { id: null, error: { code: -32000, message: 'not initialized' } }, { status: 400 })
  return undefined
}

/** A stateless server that knows no sessions. */
const modernOnly: Respond = ({ frame, era }) => {
  if (frame.kind !== 'request') return undefined
  if (frame.method === 'server/discover') return { result: { supportedVersions: ['2026-07-28'] } }
  return era === 'legacy'
    ? { error: { code: -32022, message: 'unsupported protocol version' } }
    : { result: { of: 'modern' } }
}

const dual: Respond = (request, sink) =>
  (request.era === 'modern' ? modernOnly : legacyOnly)(request, sink)

const bridged: Respond = ({ frame, session }, sink) => {
  if (frame.kind !== 'request') return undefined
  const id = frame.method === 'initialize' ? { session: 'of-the-bridge' } : {}
  answer(sink, { id: frame.id, result: { of: 'bridge', session: session ?? null } }, id)
  return undefined
}

const requestOf = (era: 'legacy' | 'modern', method: string, session?: string): UpstreamRequest => {
  const frame = frameOf(requestText(7, method))
  return {
    era,
    session,
    frame,
    protocolVersion: era === 'modern' ? '2026-07-28' : '2025-11-25',
    bytes: Buffer.from(frame.text),
    grantId: 'g',
    headers: [],
  }
}

/** A server behind both bridges, with a clock that is turned by hand. */
function open(respond: Respond, o: { era?: EraPin; sibling?: Respond } = {}) {
  const inner = answeringUpstream(respond)
  const bridge = answeringUpstream(bridged)
  const siblings: AnsweringUpstream[] = []
  const trouble = createTrouble()
  const time = { now: 1_000_000 }
  const { sibling } = o
  const upstream = speakBothEras(inner, {
    entry: { ...serverOf(inner).entry, era: o.era ?? 'auto' },
    log() {},
    clock: { now: () => time.now },
    trouble,
    openSibling:
      sibling === undefined
        ? undefined
        : () => {
            const one = answeringUpstream(sibling)
            siblings.push(one)
            return one
          },
    bridges: { modernOverLegacy: () => bridge, legacyOverModern: () => bridge },
  })
  return { upstream, inner, bridge, siblings, trouble, time }
}

async function send(upstream: Upstream, ...of: Parameters<typeof requestOf>) {
  const sink = new RecordingSink()
  upstream.exchange(requestOf(...of), sink)
  await sink.over()
  expect(sink.faults).toEqual([])
  return sink
}

describe('a stateless client', () => {
  test('reaches a stateless server itself, which is asked once', async () => {
    const { upstream, inner } = open(modernOnly)
    for (let i = 0; i < 3; i++)
      expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('modern')
    expect(inner.methods()).toEqual(['server/discover', 'tools/list', 'tools/list', 'tools/list'])
  })

  test('asks once for all requests that come at the same time', async () => {
    const { upstream, inner } = open(modernOnly)
    await Promise.all(Array.from({ length: 20 }, () => send(upstream, 'modern', 'tools/list')))
    expect(inner.methods().filter((m) => m === 'server/discover')).toHaveLength(1)
  })

  test('reaches a server with sessions through the bridge', async () => {
    const { upstream, inner } = open(legacyOnly)
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
    expect((await send(upstream, 'modern', 'tools/call')).message.result?.of).toBe('bridge')
    expect(inner.methods()).toEqual(['server/discover', 'initialize'])
    expect(inner.ended).toEqual(['its-own'])
  })

  test.each([
    ['method not found', { error: { code: -32601, message: 'no' } }],
    ['an invalid request', { error: { code: -32600, message: 'no' } }],
    ['invalid params', { error: { code: -32602, message: 'no' } }],
    ['a server error', { error: { code: -32000, message: 'no' } }],
    ['an unsupported version', { error: { code: -32022, message: 'no' } }],
    [
      'versions without ours instead',
      { error: { code: -32022, message: 'no', data: { supported: ['2025-11-25'] } } },
    ],
    ['an empty result', { result: {} }],
    ['versions without ours', { result: { supportedVersions: ['2031-01-01'] } }],
    ['an answer that is not MCP', new GatewayError('upstream_broken', 'HTTP 404')],
    ['a method that is not served', new GatewayError('verb_refused')],
  ])('is bridged to a server that answers server/discover with %s', async (_, said) => {
    const { upstream } = open((request, sink) =>
      request.era === 'modern' ? said : legacyOnly(request, sink),
    )
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
  })

  test('reaches a server itself that names the era while it refuses', async () => {
    const supported = { supported: ['2026-07-28'] }
    let isFirst = true
    const { upstream, inner } = open((request, sink) => {
      if (!isFirst) return modernOnly(request, sink)
      isFirst = false
      return { error: { code: -32022, message: 'unsupported protocol version', data: supported } }
    })
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('modern')
    expect(inner.methods()).toEqual(['server/discover', 'tools/list'])
  })

  test('gets the own words of a server that refuses both', async () => {
    const { upstream } = open(() => ({ error: { code: -32601, message: 'nothing here' } }))
    const sink = await send(upstream, 'modern', 'tools/list')
    expect(sink.message.error?.message).toBe('nothing here')
  })

  test('gets the failure of a server that can not be reached, and the next one asks again', async () => {
    const { upstream, inner } = open(() => new GatewayError('upstream_unreachable'))
    expect((await send(upstream, 'modern', 'tools/list')).error?.code).toBe('upstream_unreachable')
    inner.respond = legacyOnly
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
  })

  test('that goes while the server is asked is not served', async () => {
    const { upstream, inner, bridge } = open(modernOnly)
    const sink = new RecordingSink()
    upstream.exchange(requestOf('modern', 'tools/call'), sink).cancel()
    await send(upstream, 'modern', 'tools/list')
    expect(inner.methods()).toEqual(['server/discover', 'tools/list'])
    expect(bridge.got).toEqual([])
    expect(sink.isOver).toBe(false)
  })
})

describe('a process', () => {
  test.each([
    ['ends over a request before initialize', () => new GatewayError('upstream_lost')],
    ['refuses it', () => ({ error: { code: -32601, message: 'no' } })],
  ] as const)('that %s is asked in a throw-away sibling, and bridged', async (_, sibling) => {
    const { upstream, inner, siblings } = open(legacyOnly, { sibling })
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
    expect(inner.got).toEqual([])
    expect(siblings).toHaveLength(1)
    await until(() => siblings[0]?.isClosed === true, 'the sibling to be ended')
  })

  test('that is stateless gets only what the client sent', async () => {
    const { upstream, inner, siblings } = open(modernOnly, { sibling: modernOnly })
    await send(upstream, 'modern', 'tools/list')
    expect(inner.methods()).toEqual(['tools/list'])
    expect(siblings.flatMap((s) => s.methods())).toEqual(['server/discover'])
  })

  test('is only used once its sibling has ended: it may hold what only one of them can', async () => {
    const { upstream, siblings, bridge } = open(legacyOnly, { sibling: legacyOnly })
    const sink = new RecordingSink()
    upstream.exchange(requestOf('modern', 'tools/list'), sink)
    const [sibling] = siblings
    let end = (): void => {}
    if (sibling !== undefined)
      sibling.close = () =>
        new Promise((resolve) => {
          end = () => resolve()
        })
    await until(() => sibling?.got.length === 1, 'the question')
    await new Promise((resolve) => setImmediate(resolve))
    expect(bridge.got).toEqual([])
    end()
    await sink.over()
    expect(bridge.got).toHaveLength(1)
  })

  test('that is being asked ends with the gateway', async () => {
    const { upstream, siblings } = open(legacyOnly, {
      // Never answers.
      sibling: (_, sink) => {
        sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
        return undefined
      },
    })
    upstream.exchange(requestOf('modern', 'tools/list'), new RecordingSink())
    await until(() => siblings[0]?.got.length === 1, 'the question')
    await upstream.close()
    expect(siblings[0]?.isClosed).toBe(true)
  })

  test('that can not be started is asked again', async () => {
    const gone = () => new GatewayError('upstream_unreachable')
    const { upstream, siblings } = open(gone, { sibling: gone })
    await send(upstream, 'modern', 'tools/list')
    await send(upstream, 'modern', 'tools/list')
    expect(siblings).toHaveLength(2)
  })
})

describe('a client with sessions', () => {
  test('initializes at a server with sessions without any other question', async () => {
    const { upstream, inner } = open(legacyOnly)
    const sink = await send(upstream, 'legacy', 'initialize')
    expect(sink.session).toBe('its-own')
    expect(sink.text).toContain('"id":7')
    await send(upstream, 'legacy', 'tools/list', sink.session)
    expect(inner.methods()).toEqual(['initialize', 'tools/list'])
  })

  test('reaches a stateless server through the bridge, with all of its session', async () => {
    const { upstream, bridge, inner } = open(modernOnly)
    const opened = await send(upstream, 'legacy', 'initialize')
    const listed = await send(upstream, 'legacy', 'tools/list', opened.session)
    expect(listed.message.result).toEqual({ of: 'bridge', session: 'of-the-bridge' })
    const around = { ...requestOf('legacy', 'x', opened.session) }
    upstream.listen(around, new RecordingSink())
    expect(bridge.listeners.size).toBe(1)
    await upstream.endSession(around)
    expect(bridge.ended).toEqual(['of-the-bridge'])
    expect(inner.methods()).toEqual(['initialize', 'server/discover'])
  })

  test('is bridged at once when the server is known to be stateless', async () => {
    const { upstream, inner } = open(modernOnly)
    await send(upstream, 'legacy', 'initialize')
    await send(upstream, 'legacy', 'initialize')
    expect(inner.methods()).toEqual(['initialize', 'server/discover'])
  })

  test('gets the refusal of a server that speaks neither, byte for byte', async () => {
    const { upstream } = open(({ frame }, sink) => {
      const id = frame.kind === 'request' ? frame.id : null
      answer(sink, { id, error: { code: -32603, message: 'closed today' } }, { status: 400 })
      return undefined
    })
    const sink = await send(upstream, 'legacy', 'initialize')
    expect(sink.status).toBe(400)
    expect(sink.text).toBe(
      '{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"closed today"}}',
    )
  })

  test('gets an answer that is a stream as a stream', async () => {
    const events = [
      '{"jsonrpc":"2.0","method":"notifications/message","params":{}}',
      '{"jsonrpc":"2.0","id":7,"result":{"protocolVersion":"2025-11-25"}}',
    ]
    const { upstream } = open((_, sink) => {
      sink.head({ status: 200, kind: 'events', length: undefined, session: 's' })
      for (const data of events) sink.event({ data })
      sink.end()
      return undefined
    })
    const sink = await send(upstream, 'legacy', 'initialize')
    expect(sink.events).toEqual(events)
    expect(sink.session).toBe('s')
  })

  test('is not told a session that only imitates one of the bridge', async () => {
    const { upstream, bridge } = open(({ frame }, sink) => {
      const result = { protocolVersion: '2025-11-25' }
      const id = frame.kind === 'request' ? frame.id : null
      answer(sink, { id, result }, { session: 'sallyport-bridge:mine' })
      return undefined
    })
    const sink = await send(upstream, 'legacy', 'initialize')
    expect(sink.error?.code).toBe('upstream_broken')
    expect(bridge.got).toEqual([])
  })

  test('gets the failure of a server that can not be reached', async () => {
    const { upstream, inner } = open(() => new GatewayError('upstream_unreachable'))
    expect((await send(upstream, 'legacy', 'initialize')).error?.code).toBe('upstream_unreachable')
    expect(inner.methods()).toEqual(['initialize'])
  })
})

describe('a server of both eras', () => {
  test('is reached untouched by clients of both', async () => {
    const { upstream, bridge } = open(dual)
    const opened = await send(upstream, 'legacy', 'initialize')
    expect(opened.session).toBe('its-own')
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('modern')
    const listed = await send(upstream, 'legacy', 'tools/list', 'its-own')
    expect(listed.message.result?.of).toBe('legacy')
    expect(bridge.got).toEqual([])
  })
})

describe('what was learned', () => {
  test('is learned again after the server was gone', async () => {
    const { upstream, inner, trouble } = open(modernOnly)
    await send(upstream, 'modern', 'tools/list')
    inner.respond = legacyOnly
    trouble.note('gone')
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
  })

  test('is learned again, behind the back of a request, when it is old', async () => {
    const { upstream, inner, time } = open(legacyOnly)
    await send(upstream, 'modern', 'tools/list')
    inner.respond = modernOnly
    time.now += 11 * 60_000
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
    await until(
      () => inner.methods().filter((m) => m === 'server/discover').length === 2,
      'a probe',
    )
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('modern')
  })

  test('is doubted when the server refuses, but not asked at every refusal', async () => {
    const { upstream, inner, trouble, time } = open(modernOnly)
    const asked = () => inner.methods().filter((m) => m === 'server/discover').length
    await send(upstream, 'modern', 'tools/list')
    for (let i = 0; i < 5; i++) {
      trouble.note('refused')
      await send(upstream, 'modern', 'tools/list')
    }
    expect(asked()).toBe(1)
    time.now += 6_000
    await send(upstream, 'modern', 'tools/list')
    await until(() => asked() === 2, 'a probe')
  })
})

describe('a pinned era', () => {
  test('`both` adds nothing', () => {
    const { upstream, inner } = open(dual, { era: 'both' })
    expect(upstream).toBe(inner)
  })
  test('`legacy` bridges stateless clients and asks nothing', async () => {
    const { upstream, inner } = open(legacyOnly, { era: 'legacy' })
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('bridge')
    expect(inner.got).toEqual([])
    expect((await send(upstream, 'legacy', 'initialize')).session).toBe('its-own')
  })
  test('`modern` bridges clients with sessions and asks nothing', async () => {
    const { upstream, inner } = open(modernOnly, { era: 'modern' })
    await send(upstream, 'legacy', 'initialize')
    expect(inner.got).toEqual([])
    expect((await send(upstream, 'modern', 'tools/list')).message.result?.of).toBe('modern')
  })
})
