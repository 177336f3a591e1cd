import { afterEach } from 'vitest'
import type { JsonObject } from '../../src/core/json/json.ts'
import type { TroubleKind } from '../../src/gateway/bridge/era-knowledge.ts'
import type { FaceBounds } from '../../src/gateway/bridge/modern-over-legacy/bounds.ts'
import { createModernOverLegacy } from '../../src/gateway/bridge/modern-over-legacy.ts'
import type { Upstream } from '../../src/gateway/upstream/upstream.ts'
import { serverOf } from './gate.ts'
import { SessionServer } from './session-server.ts'
import { StatelessClient } from './stateless-client.ts'

/** A stateless face over a server with sessions that is answered by hand. */
export interface Face {
  readonly server: SessionServer
  readonly upstream: Upstream
  readonly trouble: TroubleKind[]
  client(capabilities?: JsonObject, grantId?: string): StatelessClient
}

const open: Upstream[] = []

/** Opens one; it is closed with the test. */
export function openFace(bounds: Partial<FaceBounds> = {}): Face {
  const server = new SessionServer()
  const trouble: TroubleKind[] = []
  const means = {
    entry: serverOf(server.upstream).entry,
    log() {},
    clock: { now: () => performance.now() },
    trouble: { note: (kind: TroubleKind) => void trouble.push(kind) },
  }
  const upstream = createModernOverLegacy(server.upstream, means, { joinMs: 5, ...bounds })
  open.push(upstream)
  return {
    server,
    upstream,
    trouble,
    client: (capabilities, grantId) => new StatelessClient(upstream, capabilities, grantId),
  }
}

/** Closes what tests of a file have opened, after each of them. */
export const closeFaces = (): void =>
  afterEach(async () => {
    await Promise.all(open.splice(0).map((upstream) => upstream.close()))
  })
