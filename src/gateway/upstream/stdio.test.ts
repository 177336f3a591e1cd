import { afterEach, describe, expect, test } from 'vitest'
import { Conversation } from '../../../test/fakes/conversation.ts'
import { requestText } from '../../../test/fakes/frames.ts'
import { RecordingSink } from '../../../test/fakes/recording-sink.ts'
import { openStdio } from '../../../test/fakes/stdio-upstream.ts'
import { until } from '../../../test/fakes/until.ts'

const opened: { close(): Promise<void> }[] = []
const open = (...args: Parameters<typeof openStdio>) => {
  const one = openStdio(...args)
  opened.push(one)
  return one
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})
const start = (upstream: Conversation['upstream'], grantId?: string) =>
  new Conversation(upstream, 'legacy', grantId).open()
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const stalledSink = (): RecordingSink => {
  const sink = new RecordingSink()
  sink.isFull = true
  return sink
}
const pidOf = async (client: Conversation): Promise<number> =>
  Number((await client.call('pid')).said)

describe('a process per session', () => {
  test('sends what the client sent, byte for byte', async () => {
    const client = await start(open().upstream)
    const text =
      '{"params":{"arguments":{"z":1.0,"a":1e2},"name":"line","x":"\\u0041"},"id":9,"method":"tools/call","jsonrpc":"2.0"}'
    expect((await client.send(text).over()).said).toBe(text)
  })

  test('two sessions never share a process', async () => {
    const { upstream } = open()
    const clients = await Promise.all([start(upstream), start(upstream)])
    const [one, other] = await Promise.all(clients.map(pidOf))
    expect(one).not.toBe(other)
  })

  test('a session is unknown to any other grant, for requests, streams and its end', async () => {
    const { upstream } = open()
    const owner = await start(upstream, 'grant-1')
    const thief = new Conversation(upstream, 'legacy', 'grant-2')
    thief.session = owner.session
    const sink = await thief.call('line')
    expect(sink.error?.code).toBe('session_unknown')
    expect(sink.wasSent).toBe(false)
    expect((await thief.listen().sink.over()).error?.code).toBe('session_unknown')
    expect(await upstream.endSession(thief.around())).toBe(404)
    expect((await owner.call('line')).error).toBeUndefined()
  })

  test('an id that is in flight is refused a second time', async () => {
    const client = await start(open().upstream)
    client.send(client.textAs(5, 'silent'))
    const again = await client.send(client.textAs(5, 'line')).over()
    expect(again.error?.code).toBe('frame_invalid')
    expect(again.wasSent).toBe(false)
    expect((await client.send(client.textAs('5', 'line')).over()).error).toBeUndefined()
  })

  test('killed in the middle: requests fail, the stream ends, the session is forgotten', async () => {
    const { upstream, events } = open()
    const client = await start(upstream)
    const stream = client.listen()
    const waiting = client.send(client.text('silent'))
    process.kill(await pidOf(client), 'SIGKILL')
    await waiting.over()
    expect(waiting.error?.code).toBe('upstream_lost')
    expect(waiting.error?.detail).toBe('the process was ended by SIGKILL')
    expect(waiting.wasSent).toBe(true)
    await stream.sink.over()
    expect((await client.call('line')).error?.code).toBe('session_unknown')
    expect(events).toContainEqual({
      event: 'upstream.lost',
      upstream: 'scripted',
      reason: 'the process was ended by SIGKILL',
    })
  })

  test('what is no message is counted and dropped, never shown', async () => {
    const { upstream, events } = open()
    const client = await start(upstream)
    expect((await client.call('babble')).said).toBe('after the babble')
    const babbled = events.filter((e) => e.event === 'upstream.babbled')
    expect(babbled.map((e) => e.bytes)).toEqual([14, 6, 17, 4])
    expect(JSON.stringify(events)).not.toContain('Starting')
  })

  test('CRLF and characters cut in two arrive whole', async () => {
    const client = await start(open().upstream)
    expect((await client.call('crlf')).message.result).toEqual({ crlf: true })
    expect((await client.call('split', { text: 'aé€😀' })).said).toBe('aé€😀')
  })

  test('the messages of a batch are taken one by one', async () => {
    const client = await start(open().upstream)
    const sink = await client.call('batch')
    expect(sink.events.length).toBe(2)
    expect(sink.said).toBe('batched')
  })

  test('an answer that is too large fails its request, and only that', async () => {
    const client = await start(open({}, { bounds: { maxLineBytes: 100_000 } }).upstream)
    const other = client.send(client.text('silent'))
    const sink = await client.call('giant', { n: 200_000 })
    expect(sink.error?.code).toBe('upstream_broken')
    expect(other.isOver).toBe(false)
    expect((await client.call('giant', { n: 50_000 })).said.length).toBe(50_000)
  })

  test('a second answer to one request is dropped', async () => {
    const client = await start(open().upstream)
    expect((await client.call('duplicate')).said).toBe('first')
    expect((await client.call('line')).faults).toEqual([])
  })

  test('messages wait for a listen stream, a bounded number of them', async () => {
    const client = await start(open().upstream)
    await client.call('later', { n: 150 })
    await client.call('line')
    const { sink } = client.listen()
    await until(() => sink.events.length === 100, 'the hundred that were kept')
    expect(JSON.parse(sink.events[0] ?? '').params.n).toBe(51)
    expect(JSON.parse(sink.events[99] ?? '').params.n).toBe(150)
  })

  test('a new listen stream takes the place of the old one', async () => {
    const client = await start(open().upstream)
    const old = client.listen()
    const next = client.listen()
    await old.sink.over()
    await client.call('later')
    await until(() => next.sink.events.length === 1, 'the notification')
    expect(old.sink.events).toEqual([])
  })

  test('a question that nobody will see is declined', async () => {
    const client = await start(open().upstream)
    await client.call('questions', { n: 150 })
    // A list carries no questions, and its answer comes after all of them.
    await client.send(requestText('list', 'tools/list')).over()
    const answers = JSON.parse((await client.call('answers')).said) as {
      id: string
      error: object
    }[]
    expect(answers.map((a) => a.id)).toEqual(Array.from({ length: 50 }, (_, i) => `q${i + 1}`))
    expect(answers.every((a) => a.error !== undefined)).toBe(true)
  })

  test.each(['blind', 'mute'])('a process that has gone %s is given up', async (tool) => {
    const client = await start(open({}, { bounds: { stdinGraceMs: 50, termGraceMs: 50 } }).upstream)
    const sink = client.send(client.text(tool))
    await until(() => {
      if (!sink.isOver) client.notify('notifications/nothing')
      return sink.isOver
    }, 'the request to fail')
    expect(sink.error?.code).toBe('upstream_lost')
  })

  test('a response to nothing that was asked is refused', async () => {
    const client = await start(open().upstream)
    const sink = await client.send('{"jsonrpc":"2.0","id":"q","result":{}}').over()
    expect(sink.error?.code).toBe('response_unexpected')
    expect(sink.wasSent).toBe(false)
  })

  test('what the client cancels ends without an answer, and the server is told', async () => {
    const client = await start(open().upstream)
    const sink = client.send(client.textAs('c', 'silent'))
    await client.notify('notifications/cancelled', { requestId: 'c', reason: 'why' }).over()
    await sink.over()
    expect(sink.events).toEqual([])
    expect((await client.call('seen')).said).toContain(
      '\\"requestId\\":\\"c\\",\\"reason\\":\\"why\\"',
    )
  })

  test('a request that takes too long fails, and the server is told', async () => {
    const client = await start(open({}, { bounds: { requestTimeoutMs: 1_500 } }).upstream)
    const sink = await client.send(client.textAs('slow', 'silent')).over()
    expect(sink.error?.code).toBe('upstream_timeout')
    expect(sink.wasSent).toBe(true)
    expect((await client.call('seen')).said).toContain('\\"requestId\\":\\"slow\\"')
  })

  test('no more processes are started than allowed', async () => {
    const { upstream } = open({}, { bounds: { maxProcesses: 2 } })
    const [first] = await Promise.all([start(upstream), start(upstream)])
    const refused = await start(upstream).catch((error) => error)
    expect(refused.code).toBe('too_busy')
    const pid = await pidOf(first)
    await upstream.endSession(first.around())
    await until(() => !isAlive(pid), 'the first process to end')
    expect((await (await start(upstream)).call('line')).error).toBeUndefined()
  })

  test('a process that nobody uses is ended, one with a request or a listener is not', async () => {
    const { upstream } = open({}, { bounds: { idleMs: 300 } })
    const busy = await start(upstream)
    busy.send(busy.text('silent'))
    const listening = await start(upstream)
    const stream = listening.listen()
    const idle = await start(upstream)
    const pid = await pidOf(idle)
    await until(() => !isAlive(pid), 'the idle process to end')
    expect((await idle.call('line')).error?.code).toBe('session_unknown')
    expect((await busy.call('line')).error).toBeUndefined()
    expect((await listening.call('line')).error).toBeUndefined()
    expect(stream.sink.isOver).toBe(false)
  })

  test('a server that refuses to initialize leaves no session and no process', async () => {
    const { upstream, events } = open(
      { env: { SCRIPT_REFUSES: '1' } },
      { bounds: { maxProcesses: 1 } },
    )
    const refusals: number[] = []
    // A process may take a moment to end, and counts until then.
    for (let i = 0; refusals.length < 3; i++) {
      expect(i).toBeLessThan(1_000)
      const client = new Conversation(upstream, 'legacy')
      const sink = await client
        .send(`{"jsonrpc":"2.0","id":${i},"method":"initialize","params":{}}`)
        .over()
      if (sink.error?.code === 'too_busy') {
        await new Promise((resolve) => setTimeout(resolve, 5))
        continue
      }
      refusals.push(sink.message.error?.code ?? 0)
      client.session = sink.session
      expect((await client.call('line')).error?.code).toBe('session_unknown')
    }
    expect(refusals).toEqual([-32602, -32602, -32602])
    expect(events.filter((e) => e.event === 'upstream.lost')).toEqual([])
  })

  test('a process that stops reading makes requests fail instead of filling memory', async () => {
    const { upstream } = open({}, { bounds: { maxBacklogBytes: 1_000_000, stdinGraceMs: 50 } })
    const client = await start(upstream)
    await client.call('deaf')
    const sinks = Array.from({ length: 40 }, () =>
      client.send(client.text('line', { fill: 'x'.repeat(100_000) })),
    )
    await until(() => sinks.some((sink) => sink.isOver), 'a refusal')
    const refused = sinks.filter((sink) => sink.isOver)
    expect(refused.every((s) => s.error?.code === 'too_busy' && s.wasSent === false)).toBe(true)
  })
})

describe('the stateless era', () => {
  const at = (upstream: Conversation['upstream'], grantId?: string) =>
    new Conversation(upstream, 'modern', grantId)

  test('one grant has one process, another grant another', async () => {
    const { upstream } = open()
    const pids = await Promise.all(['a', 'a', 'b'].map((grant) => pidOf(at(upstream, grant))))
    expect(pids[0]).toBe(pids[1])
    expect(pids[0]).not.toBe(pids[2])
  })

  test('clients that use the same ids and tokens at once are kept apart', async () => {
    const { upstream } = open()
    const clients = Array.from({ length: 10 }, () => at(upstream))
    const meta = { progressToken: 'same' }
    const sinks = await Promise.all(
      clients.map((client, n) => client.send(client.textAs(1, 'progress', { n }, meta)).over()),
    )
    for (const [n, sink] of sinks.entries()) {
      expect(sink.message.id).toBe(1)
      const progress = sink.events.slice(0, -1).map((data) => JSON.parse(data).params)
      expect(progress).toEqual(
        Array.from({ length: n }, (_, i) => ({ progressToken: 'same', progress: i + 1 })),
      )
    }
  })

  test('a cancelled request is cancelled at the server under the id that it knows', async () => {
    const { upstream } = open()
    const client = at(upstream)
    await client.call('line')
    const { cancel } = client.exchange(client.textAs('mine', 'silent'))
    cancel()
    expect((await client.call('seen')).said).toContain('\\"requestId\\":2')
  })

  test('a subscription carries the id of the client', async () => {
    const client = at(open().upstream)
    const text = JSON.stringify({
      jsonrpc: '2.0',
      id: 'sub',
      method: 'subscriptions/listen',
      params: {},
    })
    const { sink, cancel } = client.exchange(text)
    await until(() => sink.events.length === 2, 'the acknowledgement and a notification')
    for (const data of sink.events)
      expect(JSON.parse(data).params._meta['io.modelcontextprotocol/subscriptionId']).toBe('sub')
    cancel()
    expect((await client.call('seen')).said).toContain('notifications/cancelled')
  })

  test('a subscription outlasts the time that a request may take', async () => {
    const client = at(open({}, { bounds: { requestTimeoutMs: 100 } }).upstream)
    const text = '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}'
    const { sink } = client.exchange(text)
    const slow = await client.send(client.textAs(2, 'silent')).over()
    expect(slow.error?.code).toBe('upstream_timeout')
    expect(sink.isOver).toBe(false)
  })

  test('a server that asks is told that nobody can answer', async () => {
    const sink = await at(open().upstream).call('ask')
    expect(JSON.parse(sink.said).error.code).toBe(-32601)
  })

  test('a process that ended is started again, later each time', async () => {
    const { upstream, events } = open({}, { bounds: { backoffMinMs: 40, backoffMaxMs: 80 } })
    const client = at(upstream)
    for (let i = 0; i < 3; i++) {
      const sink = await client.call('die')
      expect(sink.error?.detail).toBe('the process exited with code 3')
    }
    expect((await client.call('line')).error).toBeUndefined()
    const restarts = events.filter((e) => e.event === 'upstream.restarting')
    expect(restarts.map((e) => e.attempt)).toEqual([1, 2, 3])
    expect(restarts.every((e) => e.inMs <= 80)).toBe(true)
    expect(restarts.some((e) => e.inMs > 0)).toBe(true)
  })

  test('a slow reader does not hold up the others of the same process', async () => {
    const { upstream } = open()
    const client = at(upstream)
    const { sink, cancel } = client.exchange(
      client.text('trickle', { n: 2_000 }, { progressToken: 1 }),
      stalledSink(),
    )
    expect((await client.call('line')).error).toBeUndefined()
    expect(sink.events.length).toBe(1)
    sink.drain()
    expect(sink.events.length).toBe(2_000)
    cancel()
  })

  test('a reader that stays slow loses its stream, and the server is told', async () => {
    const client = at(open().upstream)
    const sink = client.send(
      client.text('trickle', { n: 60_000 }, { progressToken: 1 }),
      stalledSink(),
    )
    await sink.over()
    expect(sink.error?.code).toBe('too_busy')
    expect((await client.call('seen')).said).toContain('\\"requestId\\":1')
  })

  test('a process that only refused the stateless era ends when the client initializes', async () => {
    const { upstream, events } = open()
    const lastStarted = () => events.findLast((e) => e.event === 'upstream.started')?.pid ?? 0
    await at(upstream, 'g').call('fail')
    const refused = lastStarted()
    await start(upstream, 'g')
    await until(() => !isAlive(refused), 'the process that refused to end')

    await at(upstream, 'h').call('line')
    const proven = lastStarted()
    const busy = at(upstream, 'i')
    const { sink } = busy.exchange(busy.text('silent'))
    await Promise.all([start(upstream, 'h'), start(upstream, 'i')])
    expect(isAlive(proven)).toBe(true)
    expect(sink.isOver).toBe(false)
  })

  test('closing fails what waits for a restart, and starts nothing any more', async () => {
    const { upstream, close } = open({}, { bounds: { backoffMinMs: 60_000, backoffMaxMs: 60_000 } })
    const client = at(upstream)
    await client.call('die')
    const waiting = client.send(client.text('line'))
    await close()
    await waiting.over()
    expect(waiting.error?.code).toBe('upstream_unreachable')
    expect(waiting.wasSent).toBe(false)
    expect((await client.call('line')).error?.code).toBe('upstream_unreachable')
  })
})

describe('one process for all sessions', () => {
  const shared = { instances: 'shared' } as const

  test('the server is initialized once, and told of no client that could be asked', async () => {
    const { upstream, events } = open(shared)
    const clients = await Promise.all(
      Array.from({ length: 5 }, (_, i) => start(upstream, `grant-${i}`)),
    )
    expect(new Set(clients.map((c) => c.session)).size).toBe(5)
    expect(new Set(await Promise.all(clients.map(pidOf))).size).toBe(1)
    const [first] = clients
    expect((await first?.call('capabilities'))?.said).toBe('{}')
    const seen = JSON.parse((await first?.call('seen'))?.said ?? '') as string[]
    expect(seen.filter((line) => line.includes('notifications/initialized')).length).toBe(1)
    expect(events.filter((e) => e.event === 'upstream.started').length).toBe(1)
  })

  test('every session gets the answer to its own request, whatever ids they use', async () => {
    const { upstream } = open(shared)
    const clients = await Promise.all([start(upstream, 'a'), start(upstream, 'b')])
    const sinks = await Promise.all(
      clients.flatMap((client, i) =>
        [0, '0', ''].map((id) => client.send(client.textAs(id, 'line', { i, id })).over()),
      ),
    )
    for (const [n, sink] of sinks.entries()) {
      const id = [0, '0', ''][n % 3]
      expect(sink.message.id).toBe(id)
      expect(JSON.parse(sink.said).params.arguments).toEqual({ i: Math.floor(n / 3), id })
    }
  })

  test('a session is unknown to any other grant', async () => {
    const { upstream } = open(shared)
    const owner = await start(upstream, 'a')
    const thief = new Conversation(upstream, 'legacy', 'b')
    thief.session = owner.session
    expect((await thief.call('line')).error?.code).toBe('session_unknown')
  })

  test('one session can not cancel what another has asked', async () => {
    const { upstream } = open(shared)
    const [one, other] = await Promise.all([start(upstream, 'a'), start(upstream, 'b')])
    const sink = one.send(one.textAs(7, 'silent'))
    await other.notify('notifications/cancelled', { requestId: 7 }).over()
    await other.call('line')
    expect(sink.isOver).toBe(false)
    await one.notify('notifications/cancelled', { requestId: 7 }).over()
    await sink.over()
    expect((await one.call('seen')).said.match(/cancelled/g)?.length).toBe(1)
  })

  test('changes of lists go to all sessions, log messages to none', async () => {
    const { upstream } = open(shared)
    const [one, other] = await Promise.all([start(upstream, 'a'), start(upstream, 'b')])
    const streams = [one.listen().sink, other.listen().sink]
    await one.call('log')
    await one.call('later')
    await until(() => streams.every((s) => s.events.length > 0), 'the change on both streams')
    for (const sink of streams)
      expect(sink.events.map((d) => JSON.parse(d).method)).toEqual([
        'notifications/tools/list_changed',
      ])
  })

  test('when the process dies all sessions are forgotten, and the next initialize starts anew', async () => {
    const { upstream } = open(shared, { bounds: { backoffMinMs: 20, backoffMaxMs: 20 } })
    const [one, other] = await Promise.all([start(upstream, 'a'), start(upstream, 'b')])
    const pid = await pidOf(one)
    await one.call('die')
    expect((await other.call('line')).error?.code).toBe('session_unknown')
    const again = await start(upstream, 'b')
    expect(await pidOf(again)).not.toBe(pid)
  })

  test('a process that nobody uses is ended, and the next initialize starts another', async () => {
    const { upstream } = open(shared, { bounds: { idleMs: 300 } })
    const client = await start(upstream)
    const pid = await pidOf(client)
    await until(() => !isAlive(pid), 'the idle process to end')
    expect((await client.call('line')).error?.code).toBe('session_unknown')
    expect(await pidOf(await start(upstream))).not.toBe(pid)
  })

  test('a command that does not start fails every initialize that waits', async () => {
    const { upstream } = open(
      { ...shared, command: 'no-such-program' },
      { bounds: { backoffMinMs: 10, backoffMaxMs: 10 } },
    )
    const failures = await Promise.all(
      [1, 2, 3].map(() => start(upstream).catch((error) => error.code)),
    )
    expect(failures).toEqual([
      'upstream_unreachable',
      'upstream_unreachable',
      'upstream_unreachable',
    ])
  })
})
