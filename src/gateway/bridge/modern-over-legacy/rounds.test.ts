import { describe, expect, test } from 'vitest'
import { resultOf } from '../../../../test/fakes/stateless-client.ts'
import { closeFaces, openFace } from '../../../../test/fakes/stateless-face.ts'
import { until } from '../../../../test/fakes/until.ts'

closeFaces()

const ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const FORM = { message: 'Who?', requestedSchema: { type: 'object', properties: {} } }

describe('what a server asks during a call', () => {
  test.each([
    ['elicitation/create', FORM, { action: 'accept', content: { name: 'ä', n: 1 } }],
    ['sampling/createMessage', { messages: [], maxTokens: 1 }, { role: 'assistant', model: 'm' }],
    ['roots/list', {}, { roots: [{ uri: 'file:///a' }] }],
  ])('%s is asked of its client, and answered to the server', async (method, params, response) => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t', { a: 1 })
    const asked = await server.next()
    asked.ask('q-1', method, params)
    const round = await resultOf(first)
    expect(round.resultType).toBe('input_required')
    const [key] = Object.keys(round.inputRequests ?? {}) as [string]
    expect(round.inputRequests?.[key]).toEqual({ method, params })
    const second = one.again('t', { a: 1 }, { [key]: response }, round.requestState)
    await until(() => server.responses.length === 1, 'the answer')
    expect(server.responses).toEqual([{ jsonrpc: '2.0', id: 'q-1', result: response }])
    asked.result({ done: true })
    expect(await resultOf(second)).toMatchObject({ resultType: 'complete', done: true })
    expect(second.message.id).toBe(101)
    expect(server.requests('tools/call')).toHaveLength(1)
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('reaches the client as the server wrote it, without what only sessions have', async () => {
    const { server, client } = openFace()
    const sink = client(ALL).call('t')
    ;(await server.next()).ask(1, 'elicitation/create', {
      mode: 'url',
      url: 'https://a.example/x',
      message: 'open it',
      elicitationId: 'e-1',
    })
    expect(Object.values((await resultOf(sink)).inputRequests ?? {})).toEqual([
      {
        method: 'elicitation/create',
        params: { mode: 'url', url: 'https://a.example/x', message: 'open it' },
      },
    ])
  })

  test('at the same time is asked in one round', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t')
    const asked = await server.next()
    for (const id of [1, 2, 3]) asked.ask(id, 'roots/list')
    const round = await resultOf(first)
    const keys = Object.keys(round.inputRequests ?? {})
    expect(keys).toHaveLength(3)
    const responses = Object.fromEntries(keys.map((key) => [key, { roots: [] }]))
    const second = one.again('t', {}, responses, round.requestState)
    await until(() => server.responses.length === 3, 'the answers')
    expect(server.responses.map(({ id }) => id)).toEqual([1, 2, 3])
    asked.result({})
    await resultOf(second)
  })

  test('one after the other is asked in rounds, each with a handle of its own', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    let sink = one.call('t')
    const asked = await server.next()
    const handles = new Set<unknown>()
    for (const id of ['a', 'b', 'c']) {
      asked.ask(id, 'roots/list')
      const { inputRequests = {}, requestState } = await resultOf(sink)
      handles.add(requestState)
      const [key] = Object.keys(inputRequests) as [string]
      sink = one.again('t', {}, { [key]: { roots: [] } }, requestState)
      await until(() => server.responses.some((r) => r.id === id), 'the answer')
    }
    asked.result({})
    await resultOf(sink)
    expect(handles.size).toBe(3)
  })

  test('and is not answered is asked again', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t')
    const asked = await server.next()
    asked.ask(1, 'roots/list')
    asked.ask(2, 'roots/list')
    const round = await resultOf(first)
    const [answered, left] = Object.keys(round.inputRequests ?? {}) as [string, string]
    const responses = { [answered]: { roots: [] }, stranger: { roots: [] } }
    const again = await resultOf(one.again('t', {}, responses, round.requestState))
    expect(Object.keys(again.inputRequests ?? {})).toEqual([left])
    expect(server.responses.map(({ id }) => id)).toEqual([1])
  })

  test('on the stream that belongs to no request is asked of the newest call', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const sink = one.call('t')
    await server.next()
    server.shout({ id: 'loose', method: 'roots/list' })
    const { inputRequests = {}, requestState } = await resultOf(sink)
    const [key] = Object.keys(inputRequests) as [string]
    one.again('t', {}, { [key]: { roots: [] } }, requestState)
    await until(() => server.responses.length === 1, 'the answer')
    expect(server.responses[0]?.id).toBe('loose')
  })

  test('when no call runs is declined', async () => {
    const { server, client } = openFace()
    await resultOf(client(ALL).send('server/discover'))
    server.shout({ id: 'loose', method: 'roots/list' })
    await until(() => server.responses.length === 1, 'the refusal')
    expect(server.responses[0]).toMatchObject({ id: 'loose', error: { code: -32601 } })
  })

  test('during a request that can not ask is declined', async () => {
    const { server, client } = openFace()
    const sink = client(ALL).send('completion/complete')
    const asked = await server.next()
    asked.ask('q', 'roots/list')
    await until(() => server.responses.length === 1, 'the refusal')
    expect(server.responses[0]?.error?.code).toBe(-32601)
    asked.result({})
    await resultOf(sink)
  })

  test('that is a ping is answered here', async () => {
    const { server, client } = openFace()
    const sink = client().call('t')
    const asked = await server.next()
    asked.ask('p', 'ping')
    await until(() => server.responses.length === 1, 'the pong')
    expect(server.responses[0]).toEqual({ jsonrpc: '2.0', id: 'p', result: {} })
    asked.result({})
    await resultOf(sink)
    expect(sink.kind).toBe('json')
  })

  test('and takes back is not answered', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t')
    const asked = await server.next()
    asked.ask('q', 'roots/list')
    const { inputRequests = {}, requestState } = await resultOf(first)
    asked.say({ method: 'notifications/cancelled', params: { requestId: 'q' } })
    asked.result({ alone: true })
    const [key] = Object.keys(inputRequests) as [string]
    const second = one.again('t', {}, { [key]: { roots: [] } }, requestState)
    expect(await resultOf(second)).toMatchObject({ alone: true })
    expect(server.responses).toEqual([])
  })

  test('and that another call waits for is answered though its own has ended', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t')
    const asked = await server.next()
    asked.ask('q', 'roots/list')
    const { inputRequests = {}, requestState } = await resultOf(first)
    asked.result({ early: true })
    const [key] = Object.keys(inputRequests) as [string]
    const second = one.again('t', {}, { [key]: { roots: [] } }, requestState)
    expect(await resultOf(second)).toMatchObject({ early: true })
    expect(server.responses).toEqual([{ jsonrpc: '2.0', id: 'q', result: { roots: [] } }])
  })

  test('at the end of its call is asked of another, or declined', async () => {
    const { server, client } = openFace({ joinMs: 60_000 })
    const one = client(ALL)
    const sinks = [one.call('a'), one.call('b')]
    const calls = [await server.next(), await server.next()]
    calls[1]?.ask('q', 'roots/list')
    calls[1]?.result({})
    await sinks[1]?.over()
    expect(server.responses).toEqual([])
    calls[0]?.result({})
    await sinks[0]?.over()
    await until(() => server.responses.length === 1, 'the refusal')
    expect(server.responses[0]).toMatchObject({ id: 'q', error: { code: -32601 } })
  })

  test('comes after what was told before it, in the same stream', async () => {
    const { server, client } = openFace()
    const sink = client(ALL).call('t', {}, { progressToken: 'p' })
    const asked = await server.next()
    asked.say({
      method: 'notifications/progress',
      params: { progressToken: asked.id, progress: 1 },
    })
    asked.ask(1, 'roots/list')
    await sink.over()
    expect(sink.kind).toBe('events')
    expect(sink.events.map((data) => JSON.parse(data).method ?? 'the answer')).toEqual([
      'notifications/progress',
      'the answer',
    ])
  })
})

describe('a client that can not be asked', () => {
  test.each([
    [{}, 'elicitation/create', FORM, { elicitation: { form: {} } }],
    [{ elicitation: {} }, 'elicitation/create', { mode: 'url' }, { elicitation: { url: {} } }],
    [{ elicitation: { url: {} } }, 'elicitation/create', FORM, { elicitation: { form: {} } }],
    [{}, 'sampling/createMessage', {}, { sampling: {} }],
    [{ sampling: {} }, 'sampling/createMessage', { tools: [] }, { sampling: { tools: {} } }],
    [{}, 'roots/list', {}, { roots: {} }],
  ])('with %j when the server sends %s: both are told', async (can, method, params, required) => {
    const { server, client } = openFace()
    const sink = client(can).call('t')
    const asked = await server.next()
    asked.ask('q', method, params)
    await sink.over()
    expect(sink.status).toBe(400)
    expect(sink.message.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: required },
    })
    await until(() => server.notes('notifications/cancelled').length === 1, 'the cancellation')
    expect(server.responses[0]).toMatchObject({ id: 'q', error: { code: -32601 } })
  })
})

describe('a handle', () => {
  /** A call that waits for its client. */
  async function parked(bounds = {}) {
    const face = openFace(bounds)
    const one = face.client(ALL)
    const sink = one.call('t', { amount: 1 })
    const asked = await face.server.next()
    asked.ask('q', 'roots/list')
    const { inputRequests = {}, requestState } = await resultOf(sink)
    const responses = { [Object.keys(inputRequests)[0] as string]: { roots: [] } }
    return { ...face, one, asked, responses, handle: requestState as string }
  }

  test('says nothing and can not be guessed', async () => {
    const { handle } = await parked()
    expect(handle).toMatch(/^sallyport-parked\.[\w-]{22}$/)
  })

  test('is of no use to another grant', async () => {
    const { client, server, one, handle, responses, asked } = await parked()
    const thief = await client(ALL, 'grant-2').again('t', { amount: 1 }, responses, handle).over()
    expect(thief.error?.code).toBe('params_invalid')
    expect(server.responses).toEqual([])
    // Its own client is not harmed.
    const own = one.again('t', { amount: 1 }, responses, handle)
    asked.result({})
    await resultOf(own)
  })

  test.each([
    ['other arguments', 't', { amount: 2 }],
    ['another tool', 'u', { amount: 1 }],
  ])('is of no use with %s', async (_, tool, args) => {
    const { server, one, handle, responses } = await parked()
    const sink = await one.again(tool, args, responses, handle).over()
    expect(sink.error?.code).toBe('params_invalid')
    expect(server.responses).toEqual([])
    expect(server.requests('tools/call')).toHaveLength(1)
  })

  test('is of no use when it was changed', async () => {
    const { server, one, handle, responses } = await parked()
    const sink = await one.again('t', { amount: 1 }, responses, `${handle.slice(0, -1)}_`).over()
    expect(sink.error?.code).toBe('params_invalid')
    expect(server.responses).toEqual([])
  })

  test('is good for one return', async () => {
    const { one, asked, handle, responses } = await parked()
    const first = one.again('t', { amount: 1 }, responses, handle)
    const second = await one.again('t', { amount: 1 }, responses, handle).over()
    expect(second.error?.code).toBe('params_invalid')
    asked.result({ once: true })
    expect(await resultOf(first)).toMatchObject({ once: true })
  })

  test('that nobody comes back with is given up: the server is told', async () => {
    const { server, one, handle, responses } = await parked({ parkMs: 20 })
    await until(() => server.notes('notifications/cancelled').length === 1, 'the cancellation')
    expect(server.responses[0]).toMatchObject({ id: 'q', error: { code: -32601 } })
    const late = await one.again('t', { amount: 1 }, responses, handle).over()
    expect(late.error?.code).toBe('params_invalid')
  })

  test('of a call that has ended meanwhile expires too: what it asked is declined', async () => {
    const { server, asked } = await parked({ parkMs: 50 })
    asked.result({})
    await until(() => server.responses.length === 1, 'the refusal')
    expect(server.responses[0]).toMatchObject({ id: 'q', error: { code: -32601 } })
    expect(server.notes('notifications/cancelled')).toEqual([])
  })

  test('is only given while there is room', async () => {
    const { server, client } = await parked({ maxParkedOfGrant: 1 })
    const sink = client(ALL).call('t', { amount: 2 })
    ;(await server.next()).ask('q2', 'roots/list')
    await sink.over()
    expect(sink.error?.code).toBe('too_busy')
    expect(server.responses[0]).toMatchObject({ id: 'q2', error: { code: -32601 } })
  })

  test('brings what came while its client was away', async () => {
    const { one, asked, handle, responses } = await parked()
    asked.say({
      method: 'notifications/progress',
      params: { progressToken: asked.id, progress: 9 },
    })
    asked.error({ code: -32000, message: 'I waited long enough' })
    const text = one.text(
      'tools/call',
      { name: 't', arguments: { amount: 1 }, inputResponses: responses, requestState: handle },
      { progressToken: 'mine' },
    )
    const { sink } = one.exchange(text)
    await sink.over()
    expect(JSON.parse(sink.events[0] ?? '').params).toEqual({ progressToken: 'mine', progress: 9 })
    expect(sink.message.error?.message).toBe('I waited long enough')
  })

  test('brings a call back that is cancelled when its client goes again', async () => {
    const { server, one, asked, handle, responses } = await parked()
    const { cancel } = one.exchange(
      one.text('tools/call', {
        name: 't',
        arguments: { amount: 1 },
        inputResponses: responses,
        requestState: handle,
      }),
    )
    await until(() => server.responses.length === 1, 'the answer')
    cancel()
    await until(() => server.notes('notifications/cancelled').length === 1, 'the cancellation')
    expect(server.notes('notifications/cancelled')[0]?.requestId).toBe(asked.id)
  })
})

describe('a server that wants a page opened first', () => {
  const page = (elicitationId: string) => ({
    code: -32042,
    message: 'open it',
    data: {
      elicitations: [{ mode: 'url', elicitationId, url: 'https://a.example', message: 'sign in' }],
    },
  })
  const accepted = (keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, { action: 'accept' }]))

  test('has its client asked, and is called again when it says that the user is done', async () => {
    const { server, client } = openFace({ pageMs: 60_000 })
    const one = client(ALL)
    const first = one.call('t', { a: 1 })
    ;(await server.next()).error(page('e-1'))
    const round = await resultOf(first)
    const keys = Object.keys(round.inputRequests ?? {})
    expect(Object.values(round.inputRequests ?? {})).toEqual([
      {
        method: 'elicitation/create',
        params: { mode: 'url', url: 'https://a.example', message: 'sign in' },
      },
    ])
    const second = one.again('t', { a: 1 }, accepted(keys), round.requestState)
    server.shout({
      method: 'notifications/elicitation/complete',
      params: { elicitationId: 'e-1' },
    })
    const again = await server.next()
    expect(again.message.params).toEqual({ name: 't', arguments: { a: 1 } })
    again.result({ ok: true })
    expect(await resultOf(second)).toMatchObject({ ok: true })
  })

  test('and never says so is called again after a while, and shows its page once', async () => {
    const { server, client } = openFace({ pageMs: 10 })
    const one = client(ALL)
    let sink = one.call('t')
    ;(await server.next()).error(page('e-1'))
    let round = await resultOf(sink)
    sink = one.again('t', {}, accepted(Object.keys(round.inputRequests ?? {})), round.requestState)
    ;(await server.next()).error(page('e-1'))
    round = await resultOf(sink)
    expect(round.resultType).toBe('input_required')
    expect(round.inputRequests).toBeUndefined()
    sink = one.again('t', {}, {}, round.requestState)
    ;(await server.next()).result({ ok: true })
    expect(await resultOf(sink)).toMatchObject({ ok: true })
  })

  test('is not called again when the client declines', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.call('t')
    ;(await server.next()).error(page('e-1'))
    const { inputRequests = {}, requestState } = await resultOf(first)
    const [key] = Object.keys(inputRequests) as [string]
    const sink = await one.again('t', {}, { [key]: { action: 'decline' } }, requestState).over()
    expect(sink.message.result).toMatchObject({ isError: true, resultType: 'complete' })
    expect(sink.said).toContain('was not opened')
    expect(server.requests('tools/call')).toHaveLength(1)
  })

  test('for a prompt or a resource is refused by an error: these have no error result', async () => {
    const { server, client } = openFace()
    const one = client(ALL)
    const first = one.send('prompts/get', { name: 'p' })
    ;(await server.next()).error(page('e-1'))
    const { inputRequests = {}, requestState } = await resultOf(first)
    const [key] = Object.keys(inputRequests) as [string]
    const inputResponses = { [key]: { action: 'cancel' } }
    const sink = one.send('prompts/get', { name: 'p', inputResponses, requestState } as never)
    await sink.over()
    expect(sink.error?.code).toBe('input_missing')
  })

  test('can not have a client asked that opens no pages', async () => {
    const { server, client } = openFace()
    const sink = client({ elicitation: {} }).call('t')
    ;(await server.next()).error(page('e-1'))
    await sink.over()
    expect(sink.message.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: { url: {} } } },
    })
  })

  test('is given up after as many rounds as a client takes part in', async () => {
    const { server, client } = openFace({ pageMs: 1 })
    const one = client(ALL)
    let sink = one.call('t')
    for (let rounds = 1; ; rounds++) {
      ;(await server.next()).error(page(`e-${rounds}`))
      await sink.over()
      const { error, result } = sink.message
      expect(error?.code).not.toBe(-32042)
      expect(result).toBeDefined()
      if (result?.isError === true) {
        expect(rounds).toBe(9)
        break
      }
      const { inputRequests = {}, requestState } = await resultOf(sink)
      sink = one.again('t', {}, accepted(Object.keys(inputRequests)), requestState)
    }
  })
})
