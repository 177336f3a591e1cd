import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Conversation } from '../../../../test/fakes/conversation.ts'
import { requestText } from '../../../../test/fakes/frames.ts'
import {
  bridgedServer,
  listenAfter,
  paramsOf,
  stream,
} from '../../../../test/fakes/modern-server.ts'
import { RecordingSink } from '../../../../test/fakes/recording-sink.ts'
import { until } from '../../../../test/fakes/until.ts'
import type { JsonObject } from '../../../core/json/json.ts'

const FORM = {
  method: 'elicitation/create',
  params: { message: 'sure?', requestedSchema: { type: 'object', properties: {} } },
}
const URL_MODE = {
  method: 'elicitation/create',
  params: { mode: 'url', url: 'https://example.com/x', message: 'open it' },
}
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 9 } }
const ROOTS = { method: 'roots/list' }
const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const done = (text: string) => ({ resultType: 'complete', content: [{ type: 'text', text }] })

/** A server that asks `rounds` after each other, then answers. */
const asking = (
  rounds: readonly JsonObject[],
  method = 'tools/call',
  means: Parameters<typeof bridgedServer>[1] = {},
) => {
  let at = 0
  return bridgedServer(({ frame }) => {
    if (frame.kind !== 'request' || frame.method !== method) return undefined
    const round = rounds[at++]
    return {
      result: round === undefined ? done('done') : { resultType: 'input_required', ...round },
    }
  }, means)
}

interface Question {
  readonly id: string
  readonly method: string
  readonly params?: Record<string, unknown>
}

const questionsIn = (sink: RecordingSink): readonly Question[] =>
  sink.events
    .filter((data) => data !== '')
    .map((data) => JSON.parse(data) as Question)
    .filter(({ id, method }) => id !== undefined && method !== undefined)

/** Waits for the client to be asked for the n-th time. */
async function question(sink: RecordingSink, n = 1): Promise<Question> {
  await until(() => questionsIn(sink).length >= n, `question ${n}`)
  return questionsIn(sink)[n - 1] as Question
}

const reply = (client: Conversation, id: string, result: string): Promise<RecordingSink> =>
  client.send(`{"jsonrpc":"2.0","id":"${id}","result":${result}}`).over()

const callsOf = ({ server }: ReturnType<typeof bridgedServer>) =>
  server.got.filter(({ frame }) => frame.kind === 'request' && frame.method === 'tools/call')

describe('a server that needs input', () => {
  test('asks the client on the stream of the call, and is called again with its answer', async () => {
    const bridged = asking([{ inputRequests: { sure: FORM }, requestState: 'st\u00e4te/1.0' }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.textAs(7, 't', { big: 1 }))
    const { id, method, params } = await question(sink)
    expect(sink.kind).toBe('events')
    expect({ method, params }).toEqual(FORM)
    expect(
      (await reply(client, id, '{"action":"accept","content":{"n":12345678901234567890}}')).status,
    ).toBe(202)
    await sink.over()
    expect(sink.message).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { content: [{ type: 'text', text: 'done' }] },
    })
    expect(sink.faults).toEqual([])
    const [first, second] = callsOf(bridged)
    expect(second?.frame).not.toHaveProperty('id', 7)
    const text = second?.frame.text ?? ''
    expect(text).toContain(
      '"inputResponses":{"sure":{"action":"accept","content":{"n":12345678901234567890}}}',
    )
    expect(paramsOf(second as never)).toMatchObject({
      requestState: 'stäte/1.0',
      name: 't',
      arguments: { big: 1 },
    })
    expect(paramsOf(second as never)._meta).toEqual(paramsOf(first as never)._meta)
    expect(Buffer.from(second?.bytes ?? []).toString()).toBe(text)
  })

  test('may ask several things at once, each answered by itself', async () => {
    const bridged = asking([{ inputRequests: { a: FORM, b: SAMPLE, c: ROOTS } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    await question(sink, 3)
    const [a, b, c] = questionsIn(sink) as [Question, Question, Question]
    expect([a, b, c].map(({ method }) => method)).toEqual([
      'elicitation/create',
      'sampling/createMessage',
      'roots/list',
    ])
    await reply(client, c.id, '{"roots":[]}')
    await reply(client, a.id, '{"action":"decline"}')
    expect(callsOf(bridged)).toHaveLength(1)
    await reply(client, b.id, '{"role":"assistant"}')
    await sink.over()
    expect(paramsOf(callsOf(bridged)[1] as never)).toMatchObject({
      inputResponses: { a: { action: 'decline' }, b: { role: 'assistant' }, c: { roots: [] } },
    })
    expect(paramsOf(callsOf(bridged)[1] as never)).not.toHaveProperty('requestState')
  })

  test('gets only the answers of the last round, and its last state', async () => {
    const bridged = asking([
      { inputRequests: { a: FORM }, requestState: 'one' },
      { inputRequests: { b: FORM }, requestState: 'two' },
    ])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    await reply(client, (await question(sink, 1)).id, '{"action":"accept"}')
    await reply(client, (await question(sink, 2)).id, '{"action":"cancel"}')
    await sink.over()
    const third = paramsOf(callsOf(bridged)[2] as never)
    expect(third).toMatchObject({
      inputResponses: { b: { action: 'cancel' } },
      requestState: 'two',
    })
    expect(third.inputResponses).not.toHaveProperty('a')
  })

  test('that sends its user to a URL gives the elicitation an id, as sessions have it', async () => {
    const bridged = asking([{ inputRequests: { u: URL_MODE } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    const { id, params } = await question(sink)
    expect(params).toMatchObject(URL_MODE.params)
    expect(params?.elicitationId).toMatch(/^[0-9a-f-]{36}$/)
    await reply(client, id, '{"action":"accept"}')
    expect((await sink.over()).said).toBe('done')
  })

  test('that only wants to be called again is, after a pause, with its state', async () => {
    const bridged = asking([{ requestState: 'wait' }])
    const client = await bridged.client()
    const sink = await client.call('t')
    expect(sink.said).toBe('done')
    expect(sink.kind).toBe('json')
    expect(paramsOf(callsOf(bridged)[1] as never)).toMatchObject({ requestState: 'wait' })
  })

  test.each([
    ['a form', FORM, { sampling: {} }],
    ['a URL', URL_MODE, { elicitation: {} }],
    ['sampling', SAMPLE, {}],
    ['sampling with tools', { ...SAMPLE, params: { messages: [], tools: [] } }, { sampling: {} }],
    ['roots', ROOTS, {}],
  ])(
    'gets no answer about %s from a client that can not give it',
    async (_, asked, capabilities) => {
      const bridged = asking([{ inputRequests: { x: FORM, y: asked } }])
      const elicitation = asked === FORM ? {} : { elicitation: { form: {} } }
      const client = await bridged.client({ capabilities: { ...elicitation, ...capabilities } })
      const sink = await client.call('t')
      expect(sink.message.result?.isError).toBe(true)
      expect(sink.said).toContain('which this client has not declared')
      // Refused as a whole: the client was asked nothing of it.
      expect(sink.kind).toBe('json')
      expect(callsOf(bridged)).toHaveLength(1)
    },
  )

  test('may not ask a client that reads no event streams', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const around = { ...client.around(), headers: ['accept', 'application/json'] }
    client.around = () => around
    const sink = await client.call('t')
    expect(sink.message.result?.isError).toBe(true)
  })

  test('learns nothing from a client that refuses, and the others are not waited for', async () => {
    const bridged = asking([{ inputRequests: { a: FORM, b: SAMPLE } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    await question(sink, 2)
    const [a, b] = questionsIn(sink) as [Question, Question]
    await client
      .send(`{"jsonrpc":"2.0","id":"${a.id}","error":{"code":-1,"message":"not now"}}`)
      .over()
    await sink.over()
    expect(sink.message.result?.isError).toBe(true)
    expect(sink.said).toContain('not now')
    const withdrawn = sink.events.find((data) => data.includes('notifications/cancelled'))
    expect(JSON.parse(withdrawn ?? '{}').params.requestId).toBe(b.id)
    expect((await reply(client, b.id, '{}')).error?.code).toBe('response_unexpected')
    expect(callsOf(bridged)).toHaveLength(1)
  })

  test('is called at most eight times for one call', async () => {
    const bridged = asking(Array.from({ length: 20 }, () => ({ inputRequests: { a: FORM } })))
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    for (let n = 1; n <= 8; n++)
      await reply(client, (await question(sink, n)).id, '{"action":"accept"}')
    await sink.over()
    expect(sink.message.result?.isError).toBe(true)
    expect(callsOf(bridged)).toHaveLength(9)
    expect(questionsIn(sink)).toHaveLength(8)
  })

  test('that asks for a prompt or a resource is refused by an error, for these have no error result', async () => {
    const bridged = asking([{ inputRequests: { x: ROOTS } }], 'prompts/get')
    const client = await bridged.client()
    const sink = await client.send(requestText(1, 'prompts/get', { name: 'p' })).over()
    expect(sink.message.error).toMatchObject({ code: -32603 })
  })

  test.each([
    ['nothing', {}],
    [
      'what the protocol does not have',
      { inputRequests: { x: { method: 'tools/call', params: {} } } },
    ],
    ['something without params', { inputRequests: { x: { method: 'elicitation/create' } } }],
    ['a state that is no text', { requestState: 5 }],
    ['nonsense', { inputRequests: { x: 5 } }],
  ])('and asks for %s is broken', async (_, round) => {
    const bridged = asking([round as JsonObject])
    const client = await bridged.client({ capabilities: EVERYTHING })
    expect((await client.call('t')).error?.code).toBe('upstream_broken')
  })

  test('may not ask before a list', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }], 'prompts/list')
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = await client.send(requestText(1, 'prompts/list')).over()
    expect(sink.error?.code).toBe('upstream_broken')
  })

  test('whose call is cancelled meanwhile is not called again', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.textAs('c', 't'))
    const { id } = await question(sink)
    await client.notify('notifications/cancelled', { requestId: 'c' }).over()
    await sink.over()
    expect((await reply(client, id, '{"action":"accept"}')).error?.code).toBe('response_unexpected')
    expect(callsOf(bridged)).toHaveLength(1)
  })

  test('never hears from another session of the same grant', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    const other = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t'))
    const { id } = await question(sink)
    expect((await reply(other, id, '{"action":"accept"}')).error?.code).toBe('response_unexpected')
    expect(callsOf(bridged)).toHaveLength(1)
  })

  test('tells of a progress that only grows, whatever round it is in', async () => {
    let round = 0
    const bridged = bridgedServer(({ frame }, sink) => {
      if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
      const say = stream(sink)
      for (const progress of [1, 2 + round])
        say({ method: 'notifications/progress', params: { progressToken: 'p', progress } })
      const result =
        round++ === 0 ? { resultType: 'input_required', inputRequests: { x: FORM } } : done('d')
      say({ id: frame.id, result })
      sink.end()
      return undefined
    })
    const client = await bridged.client({ capabilities: EVERYTHING })
    const sink = client.send(client.text('t', {}, { progressToken: 'p' }))
    await reply(client, (await question(sink)).id, '{"action":"accept"}')
    await sink.over()
    const progress = sink.events.map((data) => JSON.parse(data).params?.progress)
    expect(progress.filter((n) => n !== undefined)).toEqual([1, 2, 3])
  })

  test('asks a client that lost its stream on the one with which it comes back', async () => {
    let release = (): void => {}
    const bridged = bridgedServer(
      ({ frame }, sink) => {
        if (frame.kind !== 'request' || frame.method !== 'tools/call') return undefined
        if (frame.text.includes('inputResponses')) return { result: done('done') }
        const say = stream(sink)
        release = () => {
          say({
            id: frame.id,
            result: { resultType: 'input_required', inputRequests: { x: FORM } },
          })
          sink.end()
        }
        return undefined
      },
      { primeAfterMs: 1 },
    )
    const client = await bridged.client({ capabilities: EVERYTHING })
    const ids: (string | undefined)[] = []
    const sink = new (class extends RecordingSink {
      override event(event: { data: string; id?: string }): boolean {
        ids.push(event.id)
        return super.event(event)
      }
    })()
    const { cancel } = client.exchange(client.text('t'), sink)
    await until(() => ids.length === 1, 'the first event')
    cancel()
    release()
    const again = listenAfter(client, ids[0])
    await reply(client, (await question(again)).id, '{"action":"accept"}')
    await again.over()
    expect(again.said).toBe('done')
  })
})

describe('a client that does not answer', () => {
  afterEach(() => void vi.useRealTimers())

  test('is not waited for without end', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }])
    const client = await bridged.client({ capabilities: EVERYTHING })
    vi.useFakeTimers()
    const sink = client.send(client.text('t'))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(sink.isOver).toBe(true)
    expect(sink.message.result?.isError).toBe(true)
    expect(sink.said).toContain('in time')
  })

  test('because it has gone for good ends the call', async () => {
    const bridged = asking([{ inputRequests: { x: FORM } }], 'tools/call')
    const client = await bridged.client({ capabilities: EVERYTHING })
    const { sink, cancel } = client.exchange(client.text('t'))
    cancel()
    await client.send(requestText('p', 'ping')).over()
    expect(sink.isOver).toBe(false)
    expect(questionsIn(sink)).toEqual([])
    expect(callsOf(bridged).length).toBeLessThanOrEqual(1)
  })
})
