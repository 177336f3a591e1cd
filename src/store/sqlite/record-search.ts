import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { setImmediate as breathe } from 'node:timers/promises'
import type { RecordQuery } from '../../core/ports.ts'
import type { Database } from './database.ts'

/** Rows looked at in one go: a few milliseconds, after which calls go on. */
const STRIDE = 5000
/** How much older a record may be than those written with it: an exchange is recorded when it ends. */
const LONGEST_EXCHANGE_MS = 24 * 3_600_000

type Row = Record<string, SQLOutputValue>

/** A stretch of rows, in the order in which they were written. */
interface Stretch {
  readonly from: number
  readonly to: number
}

const FILTER =
  'seq BETWEEN ? AND ? AND at >= ? AND (?4 IS NULL OR server = ?4) AND (?5 IS NULL OR tool = ?5) AND (?6 IS NULL OR effect = ?6) AND (?7 IS NULL OR grant_id = ?7)'

/** Finds records in the order in which they were written, a stretch of the table at a time. */
export class RecordSearch {
  readonly #lastSeq: StatementSync
  readonly #firstSeq: StatementSync
  readonly #newest: StatementSync
  readonly #oldest: StatementSync
  readonly #latest: StatementSync
  readonly #seqOf: StatementSync
  readonly #seqFrom: StatementSync

  constructor({ db }: Database) {
    this.#lastSeq = db.prepare('SELECT MAX(seq) AS seq FROM records')
    this.#firstSeq = db.prepare('SELECT MIN(seq) AS seq FROM records')
    this.#newest = db.prepare(`SELECT * FROM records WHERE ${FILTER} ORDER BY seq DESC LIMIT ?8`)
    this.#oldest = db.prepare(`SELECT * FROM records WHERE ${FILTER} ORDER BY seq LIMIT ?8`)
    this.#latest = db.prepare('SELECT MAX(at) AS at FROM records WHERE seq BETWEEN ? AND ?')
    this.#seqOf = db.prepare('SELECT seq FROM records WHERE id = ?')
    this.#seqFrom = db.prepare(
      'SELECT MIN(seq) AS seq FROM (SELECT seq FROM records WHERE id > ? ORDER BY id LIMIT 1000)',
    )
  }

  lastSeq(): number {
    return Number(this.#lastSeq.get()?.seq ?? 0)
  }

  async find(query: RecordQuery): Promise<readonly Row[]> {
    const { before, after } = query
    const first = Number(this.#firstSeq.get()?.seq ?? 1)
    const last = this.lastSeq()
    if (after !== undefined) {
      const { seq, isThere } = this.#positionOf(after, last)
      return this.#forward({ from: isThere ? seq + 1 : seq, to: last }, query)
    }
    const to = before === undefined ? last : this.#positionOf(before, last).seq - 1
    return this.#backward({ from: first, to }, query)
  }

  async #forward({ from, to }: Stretch, query: RecordQuery): Promise<readonly Row[]> {
    const found: Row[] = []
    for (let seq = from; seq <= to && found.length < query.limit; seq += STRIDE) {
      if (seq > from) await breathe()
      const stretch = { from: seq, to: Math.min(to, seq + STRIDE - 1) }
      found.push(...this.#ask(this.#oldest, stretch, query, query.limit - found.length))
    }
    return found
  }

  async #backward({ from, to }: Stretch, query: RecordQuery): Promise<readonly Row[]> {
    const found: Row[] = []
    for (let seq = to; seq >= from && found.length < query.limit; seq -= STRIDE) {
      if (seq < to) await breathe()
      const stretch = { from: Math.max(from, seq - STRIDE + 1), to: seq }
      found.push(...this.#ask(this.#newest, stretch, query, query.limit - found.length))
      if (query.since !== undefined && this.#isBefore(stretch, query.since)) break
    }
    return found
  }

  #ask(
    statement: StatementSync,
    { from, to }: Stretch,
    query: RecordQuery,
    limit: number,
  ): readonly Row[] {
    const { since, server, tool, effect, grant } = query
    const values: SQLInputValue[] = [
      from,
      to,
      since ?? Number.MIN_SAFE_INTEGER,
      server ?? null,
      tool ?? null,
      effect ?? null,
      grant ?? null,
      limit,
    ]
    return statement.all(...values)
  }

  /** True when nothing that was written before this stretch can be as young as `since`. */
  #isBefore({ from, to }: Stretch, since: number): boolean {
    const latest = this.#latest.get(from, to)?.at
    return latest !== null && Number(latest) < since - LONGEST_EXCHANGE_MS
  }

  /** Where the record stands; where it would, by its id, when it has been pruned. */
  #positionOf(id: string, last: number): { seq: number; isThere: boolean } {
    const exact = this.#seqOf.get(id)?.seq
    if (exact !== undefined) return { seq: Number(exact), isThere: true }
    // Of the ids that follow, the first is not always the one that was written first.
    return { seq: Number(this.#seqFrom.get(id)?.seq ?? last + 1), isThere: false }
  }
}
