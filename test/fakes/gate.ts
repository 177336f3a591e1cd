import type { Policy } from '../../src/core/policy/model.ts'
import type { DecisionRecord } from '../../src/core/record/record.ts'
import type { Grant, ServerEntry } from '../../src/core/snapshot.ts'
import { Catalogue } from '../../src/gateway/catalogue.ts'
import { Channels } from '../../src/gateway/channels.ts'
import type { Gate, OpenServer } from '../../src/gateway/gate.ts'
import { createSeal } from '../../src/gateway/seal.ts'
import type { Upstream } from '../../src/gateway/upstream/upstream.ts'
import { scripted } from './stdio-upstream.ts'

/** Allows every tool but the named ones. */
const allBut = (denied: ReadonlySet<string>): Policy => ({
  pins: false,
  strictArguments: false,
  decide: ({ tool }) =>
    denied.has(tool.name)
      ? { effect: 'deny', rule: '/tools', message: 'not this one', isHidden: false }
      : { effect: 'allow', rule: '', message: '', limits: [], observed: undefined },
  isHidden: (tool) => denied.has(tool.name),
  needsAdvertising: () => false,
  readsDefinitions: false,
  countersRead: () => [],
  limitNamed: () => undefined,
  decideItem: () => ({ effect: 'allow', rule: '', message: '', limits: [], observed: undefined }),
  isItemHidden: () => false,
})

/** A grant for the scripted server under a policy that denies the named tools. */
export const grantDenying = (...tools: readonly string[]): Grant => ({
  id: 'grant-1',
  label: 'test',
  server: 'scripted',
  policy: { id: 'p', name: 'p', version: '1', policy: allBut(new Set(tools)) },
  tags: {},
  notBefore: undefined,
  expiresAt: undefined,
})

/** A gate that keeps its records in an array. */
export function openGate(): { gate: Gate; records: DecisionRecord[] } {
  const records: DecisionRecord[] = []
  let id = 0
  const gate: Gate = {
    counters: {
      reserve: async () => ({ ok: true, id: 'r', remaining: [] }),
      settle() {},
      release() {},
      peek: async () => [],
    },
    records: {
      put: (record) => void records.push(record),
      flush: async () => {},
      list: async () => records,
      dropped: () => 0,
    },
    clock: { now: () => performance.timeOrigin + performance.now() },
    elapsed: () => performance.now(),
    newId: () => `id-${id++}`,
    log() {},
    seal: createSeal(new Uint8Array(32), 'test'),
    cursors: createSeal(new Uint8Array(32), 'test cursors'),
    channels: new Channels(),
    grantOf: () => undefined,
    audit: 'buffered',
  }
  return { gate, records }
}

/** An upstream as the pipeline holds it. */
export function serverOf(upstream: Upstream): OpenServer {
  const entry: ServerEntry = {
    id: 'id',
    name: 'scripted',
    target: scripted(),
    era: 'both',
    methods: [],
    source: 'file',
  }
  return {
    entry,
    upstream,
    catalogue: new Catalogue('scripted', () => ({ category: 'Read', severity: 'Low' })),
    tasks: new Map(),
    refresh: {
      at: Number.NEGATIVE_INFINITY,
      running: undefined,
      isStale: false,
      failure: undefined,
    },
    offers: { kinds: undefined },
  }
}
