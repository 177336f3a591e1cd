import type { StatementSync } from 'node:sqlite'
import type { SqliteDatabase } from 'kysely'
import { Kysely, SqliteDialect, sql } from 'kysely'
import type { Instant } from '../../core/instant.ts'
import type { NounKind, NounStore, StoredNoun } from '../../core/ports.ts'
import type { Uuid7Source } from '../../core/uuid7.ts'
import { asStoreError } from '../store-error.ts'
import type { Database } from './database.ts'

interface NounTable {
  readonly kind: NounKind
  readonly name: string
  readonly id: string
  readonly document: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

/**
 * The embedded database as the query builder wants it. INVARIANT: single statements only; a
 * transaction over an `await` would hold the lock that the synchronous counters wait for.
 */
const forKysely = ({ db }: Database): SqliteDatabase => ({
  close: () => undefined,
  prepare: (text) => {
    const statement = db.prepare(text)
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...(parameters as never[])),
      run: (parameters) => statement.run(...(parameters as never[])),
      iterate: (parameters) => statement.iterate(...(parameters as never[])),
    }
  },
})

const nounOf = (row: NounTable): StoredNoun => ({
  kind: row.kind,
  id: row.id,
  name: row.name,
  document: row.document,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** What the admin API makes, in the embedded database. */
export class SqliteNouns implements NounStore {
  readonly #database: Database
  readonly #query: Kysely<{ nouns: NounTable }>
  readonly #newId: Uuid7Source
  readonly #revision: StatementSync

  constructor(database: Database, newId: Uuid7Source) {
    this.#database = database
    this.#newId = newId
    this.#query = new Kysely({ dialect: new SqliteDialect({ database: forKysely(database) }) })
    this.#revision = database.db.prepare(`SELECT revision FROM revisions WHERE noun = 'nouns'`)
  }

  async list(): Promise<readonly StoredNoun[]> {
    const query = this.#query.selectFrom('nouns').selectAll().orderBy('kind').orderBy('name')
    return (await this.#asking(() => query.execute())).map(nounOf)
  }

  async put(noun: {
    kind: NounKind
    name: string
    document: string
    at: Instant
  }): Promise<StoredNoun> {
    const { kind, name, document, at } = noun
    const values = { kind, name, document, version: 1, created_at: at, updated_at: at }
    const query = this.#query
      .insertInto('nouns')
      .values({ ...values, id: this.#newId(at) })
      .onConflict((conflict) =>
        conflict.columns(['kind', 'name']).doUpdateSet({
          document,
          updated_at: at,
          version: sql<number>`nouns.version + 1`,
        }),
      )
      .returningAll()
    return nounOf(await this.#asking(() => query.executeTakeFirstOrThrow()))
  }

  async remove(kind: NounKind, name: string): Promise<boolean> {
    const query = this.#query.deleteFrom('nouns').where('kind', '=', kind).where('name', '=', name)
    const { numDeletedRows } = await this.#asking(() => query.executeTakeFirstOrThrow())
    return numDeletedRows > 0n
  }

  revision(): number {
    try {
      return Number(this.#revision.get()?.revision)
    } catch (error) {
      throw asStoreError(error, this.#database.path)
    }
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw asStoreError(error, this.#database.path)
    }
  }
}
