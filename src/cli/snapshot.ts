import { createHash } from 'node:crypto'
import type { Grant, LoadedPolicy, ServerEntry, Snapshot } from '../core/snapshot.ts'
import type { Config, FileGrant } from './config/config-model.ts'
import { fileId } from './config/secret.ts'
import type { StoredNouns } from './nouns.ts'

/** A name that both the file and the store define; the file's is in force. */
export interface Clash {
  readonly kind: 'server' | 'policy' | 'grant'
  readonly name: string
}

/** Everything the data plane needs, from the file and the store; the file wins on equal names. */
export function buildSnapshot(
  config: Config,
  policies: ReadonlyMap<string, LoadedPolicy>,
  nouns: StoredNouns,
): { readonly snapshot: Snapshot; readonly clashes: readonly Clash[] } {
  const clashes: Clash[] = []
  const servers = new Map<string, ServerEntry>()
  for (const server of nouns.servers) {
    if (config.servers.has(server.name)) clashes.push({ kind: 'server', name: server.name })
    else addServer(servers, server)
  }
  for (const server of config.servers.values()) addServer(servers, server)

  const merged = new Map<string, LoadedPolicy>()
  for (const policy of nouns.policies) {
    if (policies.has(policy.name)) clashes.push({ kind: 'policy', name: policy.name })
    else merged.set(policy.name, policy)
  }
  for (const [name, policy] of policies) merged.set(name, policy)

  const grants = new Map<string, Grant>()
  for (const grant of nouns.grants) {
    if (config.grants.has(grant.label)) clashes.push({ kind: 'grant', name: grant.label })
    else grants.set(grant.tokenDigest, liveGrant(grant, grant.id, merged))
  }
  // After the store's: a token that stands in the file means what the file says.
  for (const grant of config.grants.values())
    grants.set(grant.tokenDigest, liveGrant(grant, fileId('grant', grant.label), merged))
  return { snapshot: { servers, grants, policies: merged }, clashes }
}

function addServer(servers: Map<string, ServerEntry>, server: ServerEntry): void {
  servers.set(server.name, server)
  servers.set(server.id, server)
}

function liveGrant(
  grant: FileGrant,
  id: string,
  policies: ReadonlyMap<string, LoadedPolicy>,
): Grant {
  return {
    id,
    label: grant.label,
    server: grant.server,
    policy: grant.policy === undefined ? undefined : policies.get(grant.policy),
    tags: grant.tags,
    notBefore: grant.notBefore,
    expiresAt: grant.expiresAt,
  }
}

/** The version of a policy that is a file: it changes whenever the text does. */
export const textVersion = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12)
