import { createHash } from 'node:crypto'
import type { NounKind } from '../core/ports.ts'
import type { Grant, LoadedPolicy, ServerEntry, Snapshot, StackEntry } from '../core/snapshot.ts'
import type { Config, FileGrant } from './config/config-model.ts'
import { fileId } from './config/secret.ts'
import type { StoredNouns } from './nouns.ts'

/** A name that both the file and the store define; the file's is in force. */
export interface Clash {
  readonly kind: NounKind
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
    else add(servers, server)
  }
  for (const server of config.servers.values()) add(servers, server)

  const stacks = new Map<string, StackEntry>()
  for (const stack of nouns.stacks) {
    if (config.stacks.has(stack.name)) clashes.push({ kind: 'stack', name: stack.name })
    else add(stacks, stack)
  }
  for (const stack of config.stacks.values()) add(stacks, stack)

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
  return { snapshot: { servers, stacks, grants, policies: merged }, clashes }
}

function add<Entry extends { id: string; name: string }>(
  all: Map<string, Entry>,
  entry: Entry,
): void {
  all.set(entry.name, entry)
  all.set(entry.id, entry)
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
    stack:
      grant.stack === undefined
        ? undefined
        : {
            name: grant.stack.name,
            policies: new Map(
              Object.entries(grant.stack.policies).map(([member, name]) => [
                member,
                policies.get(name),
              ]),
            ),
          },
    policy: grant.policy === undefined ? undefined : policies.get(grant.policy),
    tags: grant.tags,
    notBefore: grant.notBefore,
    expiresAt: grant.expiresAt,
  }
}

/** The version of a policy that is a file: it changes whenever the text does. */
export const textVersion = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12)
