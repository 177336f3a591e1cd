import type { Instant } from '../../core/instant.ts'
import type { NounKind, NounStore, StoredNoun } from '../../core/ports.ts'
import type { Uuid7Source } from '../../core/uuid7.ts'

/** Nouns of one process, in memory. */
export class MemoryNouns implements NounStore {
  readonly #byName = new Map<string, StoredNoun>()
  readonly #newId: Uuid7Source
  #revision = 0

  constructor(newId: Uuid7Source) {
    this.#newId = newId
  }

  async list(): Promise<readonly StoredNoun[]> {
    const all = [...this.#byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
    return all.map(([, noun]) => noun)
  }

  async put(noun: {
    kind: NounKind
    name: string
    document: string
    at: Instant
  }): Promise<StoredNoun> {
    const { kind, name, document, at } = noun
    const known = this.#byName.get(JSON.stringify([kind, name]))
    const stored: StoredNoun = {
      kind,
      id: known?.id ?? this.#newId(at),
      name,
      document,
      version: (known?.version ?? 0) + 1,
      createdAt: known?.createdAt ?? at,
      updatedAt: at,
    }
    this.#byName.set(JSON.stringify([kind, name]), stored)
    this.#revision += 1
    return stored
  }

  async remove(kind: NounKind, name: string): Promise<boolean> {
    const wasThere = this.#byName.delete(JSON.stringify([kind, name]))
    if (wasThere) this.#revision += 1
    return wasThere
  }

  revision(): number {
    return this.#revision
  }
}
