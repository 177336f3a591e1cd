import type { JsonObject } from '../../src/core/json/json.ts'
import { META_KEYS } from '../../src/core/mcp/revisions.ts'
import type { DecisionRecord } from '../../src/core/record/record.ts'
import type { Grant, ServerEntry, Snapshot, StackEntry } from '../../src/core/snapshot.ts'
import type { Gate } from '../../src/gateway/gate.ts'
import { Servers } from '../../src/gateway/servers.ts'
import { Stacks } from '../../src/gateway/stack/stacks.ts'
import type { Upstream, UpstreamExchange } from '../../src/gateway/upstream/upstream.ts'
import { frameOf, requestText } from './frames.ts'
import { grantDenying, openGate } from './gate.ts'
import { RecordingSink } from './recording-sink.ts'
import { scripted } from './stdio-upstream.ts'

/** A stack whose members are in memory. */
export interface FakeStack {
  readonly records: readonly DecisionRecord[]
  readonly logged: readonly { readonly event: string }[]
  readonly stacks: Stacks
  /** What is in force; replaced by `put`. */
  put(change: {
    /** The members of the stack. */
    servers?: readonly string[]
    /** The servers that there are. */
    configured?: readonly string[]
    grant?: Grant | undefined
  }): void
  /** Sends a stateless request. */
  send(method: string, params?: JsonObject, grant?: Grant): RecordingSink & { cancel(): void }
}

/** The grant of a fake stack, under a policy that denies the named tools everywhere. */
export const stackGrant = (...denied: readonly string[]): Grant => ({
  ...grantDenying(...denied),
  server: undefined,
  stack: { name: 'work', policies: new Map() },
})

const entryOf = (name: string): ServerEntry => ({
  id: `id of ${name}`,
  name,
  target: scripted(),
  era: 'both',
  methods: [],
  source: 'file',
})

/** Opens the stack `work` of these members, in their order. */
export function openStack(members: Readonly<Record<string, Upstream>>): FakeStack {
  const { gate: open, records } = openGate()
  const logged: { event: string }[] = []
  const gate: Gate = {
    ...open,
    log: (_, event) => void logged.push(event),
    grantOf: (grantId) => (granted?.id === grantId ? granted : undefined),
  }
  const servers = new Servers(
    ({ name }) => members[name] as Upstream,
    () => ({ category: 'Read', severity: 'Low' }),
  )
  let names: readonly string[] = Object.keys(members)
  let there = names
  let granted: Grant | undefined = stackGrant()
  const entry = (): StackEntry => ({ id: 'stack', name: 'work', servers: names, source: 'file' })
  const snapshot = (): Snapshot => ({
    servers: new Map(there.map((name) => [name, entryOf(name)])),
    stacks: new Map([[entry().name, entry()] as const, [entry().id, entry()] as const]),
    policies: new Map(),
    grants: new Map(granted === undefined ? [] : [['digest', granted]]),
  })
  let inForce = snapshot()
  const stacks = new Stacks({ gate, servers, snapshot: () => inForce })
  let id = 0
  return {
    records,
    logged,
    stacks,
    put({ servers: next = names, configured = there, ...change }) {
      names = next
      there = configured
      if ('grant' in change) granted = change.grant
      inForce = snapshot()
      stacks.reconcile(inForce)
      void gate.channels.changed(gate)
    },
    send(method, params = {}, grant = granted ?? stackGrant()) {
      const _meta = {
        [META_KEYS.version]: '2026-07-28',
        [META_KEYS.client]: { name: 'fake', version: '1' },
        [META_KEYS.capabilities]: {},
        ...(params._meta as JsonObject | undefined),
      }
      const text = requestText(++id, method, { ...params, _meta })
      const frame = frameOf(text)
      const sink = new RecordingSink()
      const exchange: UpstreamExchange = stacks.of(entry(), grant).upstream.exchange(
        {
          frame,
          bytes: Buffer.from(text),
          era: 'modern',
          protocolVersion: '2026-07-28',
          session: undefined,
          grantId: grant.id,
          headers: [],
        },
        sink,
      )
      return Object.assign(sink, { cancel: () => exchange.cancel() })
    },
  }
}
