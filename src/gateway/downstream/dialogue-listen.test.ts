import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answeringUpstream } from '../../../test/fakes/answering-upstream.ts'
import { serverOf } from '../../../test/fakes/gate.ts'
import type { LiveSession } from '../sessions.ts'
import type { ReplySink } from '../upstream/upstream.ts'
import { keepListening } from './dialogue-listen.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a stream that the server ends is opened again, from the last event that it named', async () => {
  const upstream = answeringUpstream(() => undefined)
  const opened: { readonly headers: readonly string[]; readonly sink: ReplySink }[] = []
  upstream.listen = ({ headers }, sink) => {
    opened.push({ headers, sink })
    return { cancel() {} }
  }
  const written: string[] = []
  const session: LiveSession = {
    id: 's',
    server: 'scripted',
    grantId: 'grant-1',
    upstream: 'u',
    protocolVersion: '2025-11-25',
    client: { name: '', version: '' },
    askable: ['roots', 'sampling'],
    asked: new Set(),
  }
  const kept = keepListening(serverOf(upstream), session, {
    write: (text) => written.push(text) > 0,
    isFull: () => false,
    onDrain() {},
  })
  const events = { status: 200, kind: 'events', length: undefined, session: undefined } as const
  const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
  opened[0]?.sink.head(events)
  opened[0]?.sink.event({ data: '', id: 'e1' })
  opened[0]?.sink.event({ data: note, id: 'e2' })
  opened[0]?.sink.event({ data: note })
  opened[0]?.sink.end()
  vi.advanceTimersByTime(1_000)
  expect(opened.map(({ headers }) => headers)).toEqual([[], ['last-event-id', 'e2']])
  // An answer that is sent again belongs to nobody here.
  opened[1]?.sink.head(events)
  opened[1]?.sink.event({ data: '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}', id: 'e3' })
  expect(written).toEqual([note, note])
  kept.stop()
  opened[1]?.sink.end()
  vi.advanceTimersByTime(60_000)
  expect(opened).toHaveLength(2)
})
