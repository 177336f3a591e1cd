import { hash } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DecisionRecord } from '../../src/core/record/record.ts'
import type { Grant, ServerEntry, Snapshot } from '../../src/core/snapshot.ts'
import { createHttpListener } from '../../src/gateway/downstream/http.ts'
import { createEdge } from '../../src/gateway/downstream/http-edge.ts'
import { Servers } from '../../src/gateway/servers.ts'
import { Sessions } from '../../src/gateway/sessions.ts'
import { Stacks } from '../../src/gateway/stack/stacks.ts'
import type { Upstream } from '../../src/gateway/upstream/upstream.ts'
import { grantDenying, openGate } from './gate.ts'
import { scripted } from './stdio-upstream.ts'
import { until } from './until.ts'

/** The HTTP listener over upstreams of the test's own. */
export interface HttpGateway {
  readonly url: string
  readonly server: Server
  readonly records: readonly DecisionRecord[]
  /** Takes a grant away. */
  revoke(token: string): void
  /** Configures the servers anew: other upstreams from now on. */
  replaceServers(): void
  close(): Promise<void>
}

const entryOf = (name: string): ServerEntry => ({
  id: `id-of-${name}`,
  name,
  target: scripted(),
  era: 'both',
  methods: [],
  source: 'file',
})

/** Opens one; grants are token → grant, by the name of the server that each opens. */
export async function openHttpGateway(
  open: (entry: ServerEntry) => Upstream,
  grants: Readonly<Record<string, Partial<Grant>>>,
): Promise<HttpGateway> {
  const { gate, records } = openGate()
  const servers = new Servers(open, () => ({ category: 'Read', severity: 'Low' }))
  const all = Object.entries(grants).map(([token, more]): [string, Grant] => [
    hash('sha256', token, 'hex'),
    { ...grantDenying('pid'), id: `grant-of-${token}`, ...more },
  ])
  const names = new Set(Object.values(grants).map(({ server = 'scripted' }) => server))
  const byName = new Map([...names].map((name) => [name, entryOf(name)]))
  let snapshot: Snapshot = {
    servers: new Map([...byName].flatMap(([name, e]) => [[name, e] as const, [e.id, e] as const])),
    grants: new Map(all),
    policies: new Map(),
    stacks: new Map(),
  }
  let edge = createEdge({ host: '127.0.0.1', port: 0, hosts: [], origins: [] })
  const server = createHttpListener({
    gate,
    servers,
    sessions: new Sessions(new Uint8Array(32)),
    stacks: new Stacks({ gate, servers, snapshot: () => snapshot }),
    snapshot: () => snapshot,
    edge: () => edge,
    other: (_, response) => void response.writeHead(404).end('nothing'),
  })
  server.listen(0, '127.0.0.1')
  await until(() => server.listening, 'the gateway')
  const { port } = server.address() as AddressInfo
  edge = createEdge({ host: '127.0.0.1', port, hosts: [], origins: [] })
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    records,
    revoke(token) {
      const left = new Map(snapshot.grants)
      left.delete(hash('sha256', token, 'hex'))
      snapshot = { ...snapshot, grants: left }
    },
    replaceServers() {
      const anew = new Map(
        [...snapshot.servers].map(([key, entry]) => [
          key,
          { ...entry, target: scripted({ env: { NEW: '1' } }) },
        ]),
      )
      snapshot = { ...snapshot, servers: anew }
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await servers.close()
    },
  }
}
