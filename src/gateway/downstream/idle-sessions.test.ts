import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answeringUpstream } from '../../../test/fakes/answering-upstream.ts'
import { openGate, serverOf } from '../../../test/fakes/gate.ts'
import type { Snapshot } from '../../core/snapshot.ts'
import { Servers } from '../servers.ts'
import { SESSION_LOOK_MS, Sessions } from '../sessions.ts'
import { Stacks } from '../stack/stacks.ts'
import { createHttpListener } from './http.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a session that nobody uses for long is ended at its server', () => {
  const upstream = answeringUpstream(() => ({ result: {} }))
  const { entry } = serverOf(upstream)
  const snapshot = (): Snapshot => ({
    servers: new Map([[entry.name, entry]]),
    stacks: new Map(),
    grants: new Map(),
    policies: new Map(),
  })
  const { gate } = openGate()
  const servers = new Servers(
    () => upstream,
    () => ({ category: 'Read', severity: 'Low' }),
  )
  const sessions = new Sessions(new Uint8Array(32))
  const listener = createHttpListener({
    gate,
    servers,
    sessions,
    snapshot,
    stacks: new Stacks({ gate, servers, snapshot }),
    edge: () => ({ isHostServed: () => true, isOriginAllowed: () => true }),
    other() {},
  })
  const session = {
    grantId: 'grant-1',
    askable: [],
    protocolVersion: '2025-11-25',
    client: { name: '', version: '' },
  }
  const idle = sessions.seal({ ...session, server: entry.name, upstream: 'idle' })
  const used = sessions.seal({ ...session, server: entry.name, upstream: 'used' })
  // Of a server that is no more, and of one that opened no session of its own.
  sessions.seal({ ...session, server: 'gone', upstream: 'x' })
  sessions.seal({ ...session, server: entry.name, upstream: undefined })
  for (let look = 0; look < 12; look++) {
    vi.advanceTimersByTime(SESSION_LOOK_MS)
    sessions.open(used)
  }
  expect(upstream.ended).toEqual(['idle'])
  expect(sessions.open(idle)).toBeUndefined()
  listener.emit('close')
  vi.advanceTimersByTime(100 * SESSION_LOOK_MS)
  expect(upstream.ended).toEqual(['idle'])
})
