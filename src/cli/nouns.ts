import {
  parseGrantDocument,
  parseServerDocument,
  parseStackDocument,
} from '../core/contract/stored.ts'
import { loadPolicy } from '../core/policy/index.ts'
import type { NounStore, StoredNoun } from '../core/ports.ts'
import type { LoadedPolicy, ServerEntry, StackEntry } from '../core/snapshot.ts'
import type { FileGrant } from './config/config-model.ts'

/** What the admin API has made, read and compiled. */
export interface StoredNouns {
  readonly servers: readonly ServerEntry[]
  readonly policies: readonly LoadedPolicy[]
  readonly stacks: readonly StackEntry[]
  readonly grants: readonly (FileGrant & { readonly id: string })[]
  /** Stored things that this version can not read; they are left out. */
  readonly broken: readonly { kind: StoredNoun['kind']; name: string; reason: string }[]
}

/** Nothing stored. */
export const noNouns: StoredNouns = {
  servers: [],
  policies: [],
  stacks: [],
  grants: [],
  broken: [],
}

/** Reads what is stored; a policy that has not changed is not compiled again. */
export function nounReader(nouns: NounStore): () => Promise<StoredNouns> {
  let compiled = new Map<string, LoadedPolicy>()
  return async () => {
    const servers: ServerEntry[] = []
    const stacks: StackEntry[] = []
    const grants: (FileGrant & { id: string })[] = []
    const broken: StoredNouns['broken'][number][] = []
    const policies = new Map<string, LoadedPolicy>()
    for (const noun of await nouns.list()) {
      const { kind, name } = noun
      const refuse = (reason: string) => broken.push({ kind, name, reason })
      switch (kind) {
        case 'server': {
          const document = parseServerDocument(noun.document)
          if (document === undefined) refuse('its stored form can not be read')
          else servers.push({ id: noun.id, name, source: 'store', ...document })
          break
        }
        case 'stack': {
          const document = parseStackDocument(noun.document)
          if (document === undefined) refuse('its stored form can not be read')
          else stacks.push({ id: noun.id, name, source: 'store', ...document })
          break
        }
        case 'grant': {
          const document = parseGrantDocument(noun.document)
          if (document === undefined) refuse('its stored form can not be read')
          else grants.push({ id: noun.id, label: name, ...document })
          break
        }
        case 'policy': {
          const key = JSON.stringify([noun.id, noun.version])
          const known = compiled.get(key) ?? compile(noun, refuse)
          if (known !== undefined) policies.set(key, known)
          break
        }
        default:
          kind satisfies never
      }
    }
    compiled = policies
    return { servers, policies: [...policies.values()], stacks, grants, broken }
  }
}

function compile(noun: StoredNoun, refuse: (reason: string) => void): LoadedPolicy | undefined {
  const result = loadPolicy(noun.document, { format: 'json' })
  if (result.ok)
    return { id: noun.id, name: noun.name, version: String(noun.version), policy: result.policy }
  refuse(result.problems[0]?.message ?? 'it does not validate')
  return undefined
}
