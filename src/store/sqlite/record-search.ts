import type { StatementSync } from 'node:sqlite'
import { setImmediate as breathe } from 'node:timers/promises'
import type { RecordQuery } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'
import type { Database } from './database.ts'
import { decodeBatch, wantedTerms } from './record-batch.ts'

/** Batches passed over in one go: a few milliseconds, after which calls go on. */
const STRIDE = 5000
/** Batches read in one go, for the same reason; the first is often enough. */
const READ = 8
/** Batches of other processes that may overlap one in time. */
const OVERLAP = 1000
/** How much older a record may be than those written with it: an exchange is recorded when it ends. */
const LONGEST_EXCHANGE_MS = 24 * 3_600_000

/** A stretch of batches, in the order in which they were written. */
interface Stretch {
  readonly from: number
  readonly to: number
}

/** A place between two records: before the one at `index` of the batch `seq`. */
interface Place {
  readonly seq: number
  readonly index: number
}

/** A batch as it was read. */
interface Read {
  readonly seq: number
  readonly records: readonly DecisionRecord[]
}

const FILTER =
  'seq BETWEEN ? AND ? AND latest >= ? AND instr(terms, ?) AND instr(terms, ?) AND instr(terms, ?) AND instr(terms, ?)'

/** Finds records in the order in which they were written, some batches at a time. */
export class RecordSearch {
  readonly #lastSeq: StatementSync
  readonly #firstSeq: StatementSync
  readonly #newest: StatementSync
  readonly #oldest: StatementSync
  readonly #latest: StatementSync
  readonly #around: StatementSync
  readonly #behind: StatementSync

  constructor({ db }: Database) {
    const read = `SELECT seq, body FROM record_batches WHERE ${FILTER} ORDER BY seq`
    this.#lastSeq = db.prepare('SELECT MAX(seq) AS seq FROM record_batches')
    this.#firstSeq = db.prepare('SELECT MIN(seq) AS seq FROM record_batches')
    this.#newest = db.prepare(`${read} DESC LIMIT ?`)
    this.#oldest = db.prepare(`${read} LIMIT ?`)
    this.#latest = db.prepare(
      'SELECT MAX(latest) AS at FROM record_batches WHERE seq BETWEEN ? AND ?',
    )
    this.#around = db.prepare(
      `SELECT seq, body FROM record_batches WHERE seq IN (
        SELECT seq FROM (SELECT seq, last_id FROM record_batches WHERE first_id <= ?1
        ORDER BY first_id DESC LIMIT ${OVERLAP}) WHERE last_id >= ?1) ORDER BY seq`,
    )
    this.#behind = db.prepare(
      `SELECT MIN(seq) AS seq FROM (SELECT seq FROM record_batches WHERE first_id > ?
        ORDER BY first_id LIMIT ${OVERLAP})`,
    )
  }

  async find(query: RecordQuery): Promise<readonly DecisionRecord[]> {
    const { before, after } = query
    if (after !== undefined) return this.#forward(this.#placeOf(after, 'after'), query)
    const end = { seq: this.#last() + 1, index: 0 }
    return this.#backward(before === undefined ? end : this.#placeOf(before, 'before'), query)
  }

  async #forward(place: Place, query: RecordQuery): Promise<readonly DecisionRecord[]> {
    const found: DecisionRecord[] = []
    const last = this.#last()
    let most = 1
    for (let from = place.seq; from <= last && found.length < query.limit; ) {
      if (from > place.seq) await breathe()
      const stretch = { from, to: Math.min(last, from + STRIDE - 1) }
      const batches = this.#read(this.#oldest, stretch, query, most)
      for (const { seq, records } of batches)
        found.push(
          ...(seq === place.seq ? records.slice(place.index) : records).filter(isAsked(query)),
        )
      from = batches.length === most ? (batches.at(-1)?.seq ?? from) + 1 : stretch.to + 1
      most = Math.min(READ, most * 2)
    }
    return found.slice(0, query.limit)
  }

  async #backward(place: Place, query: RecordQuery): Promise<readonly DecisionRecord[]> {
    const found: DecisionRecord[] = []
    const first = Number(this.#firstSeq.get()?.seq ?? 1)
    let most = 1
    for (let to = place.seq; to >= first && found.length < query.limit; ) {
      if (to < place.seq) await breathe()
      const stretch = { from: Math.max(first, to - STRIDE + 1), to }
      const batches = this.#read(this.#newest, stretch, query, most)
      for (const { seq, records } of batches) {
        const older = seq === place.seq ? records.slice(0, place.index) : records
        found.push(...older.filter(isAsked(query)).reverse())
      }
      to = batches.length === most ? (batches.at(-1)?.seq ?? to) - 1 : stretch.from - 1
      most = Math.min(READ, most * 2)
      if (query.since !== undefined && this.#isBefore(stretch, query.since)) break
    }
    return found.slice(0, query.limit)
  }

  #read(
    statement: StatementSync,
    { from, to }: Stretch,
    query: RecordQuery,
    most: number,
  ): readonly Read[] {
    const [a = '', b = '', c = '', d = ''] = wantedTerms(query)
    return statement
      .all(from, to, query.since ?? Number.MIN_SAFE_INTEGER, a, b, c, d, most)
      .map(({ seq, body }) => ({ seq: Number(seq), records: decodeBatch(String(body)) }))
  }

  #last(): number {
    return Number(this.#lastSeq.get()?.seq ?? 0)
  }

  /** True when nothing that was written before this stretch can be as young as `since`. */
  #isBefore({ from, to }: Stretch, since: number): boolean {
    const latest = this.#latest.get(from, to)?.at
    return latest !== null && Number(latest) < since - LONGEST_EXCHANGE_MS
  }

  /** Where the record stands; where it would, by its id, when it has been pruned. */
  #placeOf(id: string, side: 'before' | 'after'): Place {
    const around = this.#around.all(id).map(({ seq, body }) => ({
      seq: Number(seq),
      ids: decodeBatch(String(body)).map((record) => record.id),
    }))
    for (const { seq, ids } of around) {
      const index = ids.indexOf(id)
      if (index !== -1) return { seq, index: side === 'after' ? index + 1 : index }
    }
    // Of the records that follow, the one with the first id is not always the first that was written.
    const places = around.flatMap(({ seq, ids }) => {
      const index = ids.findIndex((other) => other > id)
      return index === -1 ? [] : [{ seq, index }]
    })
    const behind = this.#behind.get(id)?.seq ?? this.#last() + 1
    const [place] = [...places, { seq: Number(behind), index: 0 }].toSorted((x, y) => x.seq - y.seq)
    return place ?? { seq: this.#last() + 1, index: 0 }
  }
}

const isAsked =
  ({ since, server, tool, effect, grant }: RecordQuery) =>
  (record: DecisionRecord): boolean =>
    (since === undefined || record.at >= since) &&
    (server === undefined || record.server === server) &&
    (tool === undefined || record.tool === tool) &&
    (effect === undefined || record.effect === effect) &&
    (grant === undefined || record.grant.id === grant)
