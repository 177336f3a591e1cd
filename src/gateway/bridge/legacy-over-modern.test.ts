import { describe, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { requestText } from '../../../test/fakes/frames.ts'
import {
  bridgedServer,
  DISCOVERED,
  metaOf,
  opening,
  paramsOf,
  stream,
} from '../../../test/fakes/modern-server.ts'
import { GatewayError } from '../../core/errors.ts'

const done = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
const tool = (name: string, more: object = {}) => ({
  name,
  inputSchema: { type: 'object' },
  ...more,
})
const calls =
  (name: string) =>
  ({ frame }: { frame: { text: string } }) =>
    frame.text.includes(`"method":"${name}"`)

describe('opening a session', () => {
  test('`initialize` is answered from `server/discover`', async () => {
    const { client, server } = bridgedServer(() => undefined)
    const opened = await client()
    expect(server.methods()).toEqual(['server/discover'])
    expect(opened.session).toMatch(/^[\x21-\x7e]+$/)
  })

  test('the answer says what a session can use, and no more', async () => {
    const { bridge } = bridgedServer(() => undefined)
    const conversation = new Conversation(bridge, 'legacy')
    const sink = await conversation.send(requestText(1, 'initialize', opening())).over()
    expect(sink.message).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        protocolVersion: '2025-11-25',
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true },
          logging: {},
          extensions: { 'example.com/extra': { on: true } },
        },
        serverInfo: { name: 'modern', version: '7' },
        instructions: 'be kind',
      },
    })
  })

  test.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['1999-01-01', '2025-11-25'],
  ])('a client that asks for %s gets %s', async (asked, given) => {
    const { bridge } = bridgedServer(() => undefined)
    const conversation = new Conversation(bridge, 'legacy')
    const params = opening({ protocolVersion: asked })
    const sink = await conversation.send(requestText(1, 'initialize', params)).over()
    expect(sink.message.result?.protocolVersion).toBe(given)
  })

  test('the server is asked once for many sessions of a grant, and again later', async () => {
    const { client, server, clock } = bridgedServer(() => undefined)
    await Promise.all([client(), client()])
    expect(server.methods()).toEqual(['server/discover'])
    clock.at += 60_000
    await client()
    expect(server.methods()).toEqual(['server/discover', 'server/discover'])
  })

  test('a server that speaks no revision of ours opens no session', async () => {
    const { client } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'server/discover'
        ? { result: { ...DISCOVERED, supportedVersions: ['2030-01-01'] } }
        : undefined,
    )
    await expect(client()).rejects.toMatchObject({ code: 'upstream_broken' })
  })

  test('a server that is away opens no session, and is asked again', async () => {
    let isAway = true
    const { client } = bridgedServer(() =>
      isAway ? new GatewayError('upstream_unreachable') : undefined,
    )
    await expect(client()).rejects.toMatchObject({ code: 'upstream_unreachable' })
    isAway = false
    expect((await client()).session).toBeDefined()
  })
})

describe('a request of a session', () => {
  test('carries what the client said when it opened the session', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'prompts/list' ? { result: done } : undefined,
    )
    const opened = await client({
      capabilities: {
        sampling: { tools: {} },
        elicitation: {},
        roots: { listChanged: true },
        tasks: { list: {} },
        extensions: { 'io.modelcontextprotocol/tasks': {}, 'example.com/ui': { max: 9 } },
      },
      clientInfo: { name: 'old', version: '1', title: 'An old one' },
    })
    await opened.send(requestText(1, 'prompts/list')).over()
    expect(metaOf(server.got.at(-1) as never)).toEqual({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'old', version: '1', title: 'An old one' },
      'io.modelcontextprotocol/clientCapabilities': {
        sampling: { tools: {} },
        elicitation: { form: {} },
        roots: {},
        extensions: { 'example.com/ui': { max: 9 } },
      },
      'io.modelcontextprotocol/logLevel': 'info',
    })
    expect(server.got.at(-1)).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28' })
  })

  test('keeps every byte that the policy judged, but for what a session can not say', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call' ? { result: done } : undefined,
    )
    const opened = await client()
    const args = '{ "big": 12345678901234567890, "one": 1.0, "s": "\\u00e9" }'
    await opened
      .send(
        `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":${args},"task":{"ttl":1},"requestState":"mine","inputResponses":{},"_meta":{"progressToken":"p","example.com/x":1.50,"io.modelcontextprotocol/logLevel":"debug"}}}`,
      )
      .over()
    const sent = server.got.at(-1)?.frame.text ?? ''
    expect(sent).toContain(`"arguments":${args}`)
    expect(sent).toContain('"progressToken":"p","example.com/x":1.50,')
    expect(sent).not.toMatch(/"task"|requestState|inputResponses|debug/)
    expect(JSON.parse(sent).params._meta['io.modelcontextprotocol/logLevel']).toBe('info')
    expect(Buffer.from(server.got.at(-1)?.bytes ?? []).toString()).toBe(sent)
  })

  test('is stamped when it has no params at all', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/list'
        ? { result: { tools: [] } }
        : undefined,
    )
    await (await client()).send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}').over()
    expect(metaOf(server.got.at(-1) as never)).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    })
  })

  test('survives a restart of the gateway with all that it needs', async () => {
    const { client, server, restarted } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'prompts/get' ? { result: done } : undefined,
    )
    const { session } = await client({ capabilities: { sampling: {} } })
    const again = new Conversation(restarted(), 'legacy')
    again.session = session
    const sink = await again.send(requestText(1, 'prompts/get', { name: 'p' })).over()
    expect(sink.error).toBeUndefined()
    expect(metaOf(server.got.at(-1) as never)).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
      'io.modelcontextprotocol/clientInfo': { name: 'old', version: '1' },
    })
  })

  test('without a session, or in one that was not opened here, is refused', async () => {
    const { bridge } = bridgedServer(() => undefined)
    const stranger = new Conversation(bridge, 'legacy')
    expect((await stranger.send(requestText(1, 'ping')).over()).error?.code).toBe('session_missing')
    stranger.session = 'lm1.bm90aGluZw'
    expect((await stranger.send(requestText(1, 'ping')).over()).error?.code).toBe('session_unknown')
  })

  test('under an id that is in flight already is refused', async () => {
    const { client } = bridgedServer(({ frame }, sink) => {
      if (frame.kind === 'request' && frame.method === 'prompts/get') stream(sink)
      return undefined
    })
    const opened = await client()
    opened.send(requestText(1, 'prompts/get', { name: 'p' }))
    const second = await opened.send(requestText(1, 'prompts/get', { name: 'p' })).over()
    expect(second.error?.code).toBe('frame_invalid')
  })

  test.each(['tasks/get', 'server/discover', 'subscriptions/listen'])(
    '%s does not exist for it',
    async (method) => {
      const { client } = bridgedServer(() => undefined)
      const sink = await (await client()).send(requestText(1, method)).over()
      expect(sink.error?.code).toBe('method_unknown')
    },
  )

  test('`ping` is answered without the server', async () => {
    const { client, server } = bridgedServer(() => undefined)
    const opened = await client()
    const sink = await opened.send(requestText('p', 'ping')).over()
    expect(sink.message).toEqual({ jsonrpc: '2.0', id: 'p', result: {} })
    expect(server.methods()).toEqual(['server/discover'])
  })

  test('`logging/setLevel` decides what later requests ask for', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'prompts/get' ? { result: done } : undefined,
    )
    const opened = await client()
    const set = await opened.send(requestText(1, 'logging/setLevel', { level: 'error' })).over()
    expect(set.message.result).toEqual({})
    await opened.send(requestText(2, 'prompts/get', { name: 'p' })).over()
    expect(metaOf(server.got.at(-1) as never)['io.modelcontextprotocol/logLevel']).toBe('error')
    const wrong = await opened.send(requestText(3, 'logging/setLevel', { level: 'loud' })).over()
    expect(wrong.error?.code).toBe('params_invalid')
  })

  test('asks a server without log messages for none', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'server/discover'
        ? { result: { ...DISCOVERED, capabilities: {} } }
        : frame.kind === 'request' && frame.method === 'prompts/get'
          ? { result: done }
          : undefined,
    )
    const opened = await client()
    await opened.send(requestText(1, 'prompts/get', { name: 'p' })).over()
    expect(metaOf(server.got.at(-1) as never)).not.toHaveProperty(
      'io.modelcontextprotocol/logLevel',
    )
    const set = await opened.send(requestText(2, 'logging/setLevel', { level: 'error' })).over()
    expect(set.error?.code).toBe('method_unknown')
  })
})

describe('an answer to a session', () => {
  const answering = (result: string) =>
    bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      const text = `{"jsonrpc":"2.0","id":${JSON.stringify(frame.id)},"result":${result}}`
      sink.head({ status: 200, kind: 'json', length: undefined, session: undefined })
      sink.chunk(Buffer.from(text))
      sink.end()
      return undefined
    })

  test('bears none of the stamps of the stateless era, and all else as it came', async () => {
    const { client } = answering(
      '{"resultType":"complete","content":[ ],"n":1.0,"ttlMs":5,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"m"},"a":12345678901234567890}}',
    )
    const sink = await (await client()).call('t')
    expect(sink.text).toBe(
      '{"jsonrpc":"2.0","result":{"content":[ ],"n":1.0,"_meta":{"a":12345678901234567890}},"id":1}',
    )
  })

  test('keeps every character, in whatever form it comes back', async () => {
    const said = 'hé 😀 \u2028'
    const { client } = bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      const result = { ...done, content: [{ type: 'text', text: said }] }
      if (!frame.text.includes('events')) return { result }
      const say = stream(sink)
      say({ method: 'notifications/message', params: { level: 'info', data: said } })
      say({ id: frame.id, result })
      sink.end()
      return undefined
    })
    const opened = await client()
    for (const id of ['ünique', 'events ünique']) {
      const sink = await opened.send(opened.textAs(id, 't')).over()
      expect(sink.said).toBe(said)
      expect(sink.message.id).toBe(id)
      expect(sink.heads[0]?.length ?? Buffer.concat(sink.chunks).length).toBe(
        Buffer.concat(sink.chunks).length,
      )
    }
  })

  test.each([
    ['[1,2.0]', '{"result":[1,2.0]}'],
    ['null', '{"result":null}'],
    ['"x"', '{"result":"x"}'],
    ['{"a":1}', '{"a":1}'],
  ])('structured content %s becomes %s', async (given, wanted) => {
    const { client } = answering(`{"content":[],"structuredContent":${given}}`)
    const sink = await (await client()).call('t')
    expect(sink.text).toContain(`"structuredContent":${wanted}`)
  })

  test('of a type that was not declared is none', async () => {
    const { client } = answering('{"resultType":"task","taskId":"t"}')
    expect((await (await client()).call('t')).error?.code).toBe('upstream_broken')
  })

  test('without a result is none', async () => {
    const { client } = answering('[]')
    expect((await (await client()).call('t')).error?.code).toBe('upstream_broken')
  })

  test('that never comes is said to be lost, and the call is not sent again', async () => {
    const { client, server } = bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      stream(sink)
      sink.end()
      return undefined
    })
    const sink = await (await client()).call('t')
    expect(sink.error?.code).toBe('upstream_lost')
    expect(sink.wasSent).toBe(true)
    expect(server.got.filter(calls('tools/call'))).toHaveLength(1)
  })

  test('comes after the notifications that belong to it, and no request of the server passes', async () => {
    const { client } = bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      const say = stream(sink)
      say({ method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } })
      say({ id: 9, method: 'elicitation/create', params: {} })
      say({ method: 'notifications/message', params: { level: 'info', data: 'x' } })
      say({ id: frame.id, result: done })
      sink.end()
      return undefined
    })
    const sink = await (await client()).call('t', {}, { progressToken: 'p' })
    expect(sink.events.map((data) => JSON.parse(data).method)).toEqual([
      'notifications/progress',
      'notifications/message',
      undefined,
    ])
    expect(sink.said).toBe('done')
    expect(sink.faults).toEqual([])
  })

  test('an error of the server passes in its own words, with the status of a session', async () => {
    const { client } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call'
        ? { error: { code: -32602, message: 'no', data: { why: 1 } } }
        : undefined,
    )
    const sink = await (await client()).call('t')
    expect(sink.message.error).toEqual({ code: -32602, message: 'no', data: { why: 1 } })
    expect(sink.status).toBe(200)
  })

  test('an error that names no request is the answer to the one that was sent', async () => {
    const { client } = bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      sink.head({ status: 400, kind: 'json', length: undefined, session: undefined })
      sink.chunk(Buffer.from('{"jsonrpc":"2.0","error":{"code":-32600,"message":"odd"}}'))
      sink.end()
      return undefined
    })
    const sink = await (await client()).call('t')
    expect(sink.message).toMatchObject({ id: 1, error: { code: -32600, message: 'odd' } })
  })

  test('a capability that a tool needs and the client lacks is a result to read', async () => {
    const { client } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call'
        ? {
            error: { code: -32021, message: 'x', data: { requiredCapabilities: { sampling: {} } } },
          }
        : undefined,
    )
    const sink = await (await client()).call('t')
    expect(sink.message.result?.isError).toBe(true)
    expect(sink.said).toContain('sampling')
  })
})

describe('headers that repeat arguments', () => {
  const mirrored = tool('near', {
    inputSchema: {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        size: { type: 'integer', 'x-mcp-header': 'Size' },
      },
    },
  })

  test('are computed from the definition, which is looked up for a tool nobody knows', async () => {
    const { client, server } = bridgedServer(({ frame }) =>
      frame.kind !== 'request'
        ? undefined
        : frame.method === 'tools/list'
          ? { result: { tools: [mirrored] } }
          : frame.method === 'tools/call'
            ? { result: done }
            : undefined,
    )
    const opened = await client()
    await opened.call('near', { region: 'eu west', size: 3 })
    await opened.call('near', { region: 'é', size: null })
    expect(server.got.filter(calls('tools/list'))).toHaveLength(1)
    const [first, second] = server.got.filter(calls('tools/call')).map(({ headers }) => headers)
    expect(first).toEqual(
      expect.arrayContaining(['mcp-param-region', 'eu west', 'mcp-param-size', '3']),
    )
    expect(second).toEqual(expect.arrayContaining(['mcp-param-region', '=?base64?w6k=?=']))
    expect(second).not.toContain('mcp-param-size')
  })

  test('of the client itself go no further', async () => {
    const { client, server, bridge } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/call' ? { result: done } : undefined,
    )
    const opened = await client()
    const headers = ['mcp-param-region', 'us', 'last-event-id', 'x', 'traceparent', '00-1']
    const around = { ...opened.around(), headers }
    opened.around = () => around
    await opened.call('t')
    expect(server.got.at(-1)?.headers).toEqual([
      ...['accept', 'application/json, text/event-stream', 'traceparent', '00-1'],
    ])
    await bridge.close()
  })

  test('that the server refuses are computed anew from a fresh list, once', async () => {
    let refusals = 1
    const { client, server } = bridgedServer(({ frame }) => {
      if (frame.kind !== 'request') return undefined
      if (frame.method === 'tools/list')
        return { result: { tools: [refusals === 1 ? tool('near') : mirrored] } }
      if (frame.method !== 'tools/call') return undefined
      return refusals-- > 0 ? { error: { code: -32020, message: 'header' } } : { result: done }
    })
    const opened = await client()
    await opened.send(requestText('l', 'tools/list')).over()
    const sink = await opened.call('near', { region: 'eu' })
    expect(sink.said).toBe('done')
    expect(server.got.at(-1)?.headers).toContain('mcp-param-region')
    refusals = 2
    const again = await opened.call('near', { region: 'eu' })
    expect(again.message.error?.code).toBe(-32603)
    expect(server.got.filter(calls('tools/call'))).toHaveLength(4)
  })

  test('a tool whose declarations can not be followed is not offered, and the log says so', async () => {
    const wrong = tool('wrong', {
      inputSchema: { type: 'object', properties: { a: { type: 'object', 'x-mcp-header': 'A' } } },
    })
    const { client, logged } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/list'
        ? { result: { tools: [wrong, mirrored] } }
        : undefined,
    )
    const sink = await (await client()).send(requestText(1, 'tools/list')).over()
    expect(sink.message.result?.tools).toEqual([mirrored])
    expect(logged).toEqual([
      {
        event: 'tool.unreachable',
        upstream: 'fake',
        tool: 'wrong',
        reason: 'an argument is no single value',
      },
    ])
  })
})

describe('a tool whose output is no object', () => {
  const listed = tool('count', {
    outputSchema: { type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'number' } } },
  })
  const loose = tool('loose', { outputSchema: { anyOf: [{ type: 'object' }, { type: 'null' }] } })

  test('is listed with the schema of what a session gets', async () => {
    const { client } = bridgedServer(({ frame }) =>
      frame.kind === 'request' && frame.method === 'tools/list'
        ? { result: { tools: [listed] } }
        : undefined,
    )
    const sink = await (await client()).send(requestText(1, 'tools/list')).over()
    const [shown] = (sink.message.result?.tools ?? []) as { outputSchema: unknown }[]
    expect(shown?.outputSchema).toEqual({
      type: 'object',
      properties: {
        result: {
          type: 'array',
          items: { $ref: '#/properties/result/$defs/n' },
          $defs: { n: { type: 'number' } },
        },
      },
      required: ['result'],
    })
  })

  test('is wrapped by its schema even where the value happens to be an object', async () => {
    const { client } = bridgedServer(({ frame }) =>
      frame.kind !== 'request'
        ? undefined
        : frame.method === 'tools/list'
          ? { result: { tools: [loose] } }
          : {
              result:
                frame.method === 'tools/call'
                  ? { content: [], structuredContent: { a: 1 } }
                  : DISCOVERED,
            },
    )
    const sink = await (await client()).call('loose')
    expect(sink.message.result?.structuredContent).toEqual({ result: { a: 1 } })
  })
})

describe('the end', () => {
  test('a cancelled call is cancelled at the server, and its stream ends without an answer', async () => {
    const { client, server } = bridgedServer(({ frame }, sink) => {
      if (frame.kind === 'request' && frame.method === 'tools/call') stream(sink)
      return undefined
    })
    const opened = await client()
    const sink = opened.send(opened.textAs('c', 't'))
    await opened.notify('notifications/cancelled', { requestId: 'other' }).over()
    expect(server.cancelled).toBe(0)
    await opened.notify('notifications/cancelled', { requestId: 'c' }).over()
    await sink.over()
    expect(server.cancelled).toBe(1)
    expect(sink.events).toEqual([])
  })

  test('a session that has ended is unknown, and what was under way in it is cancelled', async () => {
    const { client, server, bridge } = bridgedServer(({ frame }, sink) => {
      if (frame.kind === 'request' && frame.method === 'tools/call') stream(sink)
      return undefined
    })
    const opened = await client()
    const sink = opened.send(opened.text('t'))
    await opened.send(requestText('p', 'ping')).over()
    expect(await bridge.endSession(opened.around())).toBe(200)
    expect((await sink.over()).error?.code).toBe('session_unknown')
    expect(server.cancelled).toBe(1)
    expect((await opened.send(requestText(1, 'ping')).over()).error?.code).toBe('session_unknown')
    expect(await bridge.endSession(opened.around())).toBe(404)
  })

  test('closing the bridge ends what went through it and leaves the server open', async () => {
    const { client, server, bridge } = bridgedServer(({ frame }, sink) => {
      if (frame.kind === 'request' && frame.method === 'tools/call') stream(sink)
      return undefined
    })
    const opened = await client()
    const sink = opened.send(opened.text('t'))
    await opened.send(requestText('p', 'ping')).over()
    await bridge.close()
    expect((await sink.over()).error?.code).toBe('upstream_unreachable')
    expect(server.isClosed).toBe(false)
  })

  test('stateless frames pass untouched', async () => {
    const { bridge, server } = bridgedServer(() => ({ result: done }))
    const modern = new Conversation(bridge, 'modern')
    const text = modern.text('t')
    const sink = await modern.send(text).over()
    expect(sink.message.result).toEqual(done)
    expect(server.got[0]?.frame.text).toBe(text)
    expect(paramsOf(server.got[0] as never).name).toBe('t')
  })
})
