import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../core/instant.ts'
import type { Bucket } from '../../core/quota/sliding.ts'
import type { Database } from './database.ts'

/** The largest sum that a counter holds; a larger `max` is taken for this one. */
export const LARGEST = 2n ** 62n

/** A lease that another process holds. */
export interface ForeignLease {
  readonly holder: string
  readonly serial: bigint
}

/** The statements on counters, leases and slots. INVARIANT: writes run inside `Database.transact`. */
export class Ledger {
  readonly #used: StatementSync
  readonly #add: StatementSync
  readonly #buckets: StatementSync
  readonly #putLease: StatementSync
  readonly #removeLease: StatementSync
  readonly #removeStaleLease: StatementSync
  readonly #foreignLeases: StatementSync
  readonly #slotsUsed: StatementSync
  readonly #putSlot: StatementSync
  readonly #removeSlot: StatementSync
  readonly #prune: StatementSync
  readonly #pruneLeases: StatementSync

  constructor({ db }: Database) {
    const exact = (sql: string): StatementSync => {
      const statement = db.prepare(sql)
      statement.setReadBigInts(true)
      return statement
    }
    this.#used = exact('SELECT used FROM counters WHERE key = ? AND start = ?')
    this.#add = db.prepare(
      'INSERT INTO counters VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = used + excluded.used',
    )
    this.#buckets = exact(
      'SELECT start, used FROM counters WHERE key = ? AND start > ? AND start <= ? ORDER BY start',
    )
    this.#putLease = db.prepare('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)')
    this.#removeLease = db.prepare('DELETE FROM leases WHERE key = ? AND start = ? AND holder = ?')
    this.#removeStaleLease = db.prepare(
      'DELETE FROM leases WHERE key = ? AND start = ? AND holder = ? AND serial = ?',
    )
    this.#foreignLeases = exact(
      'SELECT holder, serial FROM leases WHERE key = ? AND start = ? AND holder <> ?',
    )
    this.#slotsUsed = exact('SELECT COALESCE(SUM(amount), 0) AS used FROM slots WHERE key = ?')
    this.#putSlot = db.prepare('INSERT INTO slots VALUES (?, ?, ?, ?)')
    this.#removeSlot = db.prepare('DELETE FROM slots WHERE key = ? AND id = ?')
    this.#prune = db.prepare(
      'DELETE FROM counters WHERE (key, start) IN (SELECT key, start FROM counters WHERE keep_until < ? LIMIT 500)',
    )
    this.#pruneLeases = db.prepare('DELETE FROM leases WHERE ends < ?')
  }

  /** What is consumed of the counter in the window that starts then. */
  used(key: string, start: Instant): bigint {
    return (this.#used.get(key, start)?.used as bigint | undefined) ?? 0n
  }

  /** Consumes, or with a negative amount gives back. */
  add(at: { key: string; start: Instant; keepUntil: Instant }, amount: bigint): void {
    this.#add.run(at.key, at.start, amount, at.keepUntil)
  }

  /** The buckets that start after `horizon` and not after `latest`, oldest first. */
  buckets(key: string, horizon: Instant, latest: Instant): readonly Bucket[] {
    return this.#buckets
      .all(key, horizon, latest)
      .map((row) => ({ start: Number(row.start), used: row.used as bigint }))
  }

  putLease(lease: { key: string; start: Instant; ends: Instant }, holder: string, serial: number) {
    this.#putLease.run(lease.key, lease.start, holder, serial, lease.ends)
  }

  removeLease(lease: { key: string; start: Instant }, holder: string): void {
    this.#removeLease.run(lease.key, lease.start, holder)
  }

  removeStaleLease(lease: { key: string; start: Instant }, stale: ForeignLease): void {
    this.#removeStaleLease.run(lease.key, lease.start, stale.holder, stale.serial)
  }

  /** The leases on the counter that others than `holder` hold. */
  foreignLeases(key: string, start: Instant, holder: string): readonly ForeignLease[] {
    return this.#foreignLeases
      .all(key, start, holder)
      .map((row) => ({ holder: String(row.holder), serial: row.serial as bigint }))
  }

  slotsUsed(key: string): bigint {
    return this.#slotsUsed.get(key)?.used as bigint
  }

  putSlot(slot: { key: string; id: string; holder: string; amount: bigint }): void {
    this.#putSlot.run(slot.key, slot.id, slot.holder, slot.amount)
  }

  removeSlot(key: string, id: string): void {
    this.#removeSlot.run(key, id)
  }

  /** Forgets windows that nobody can come back to; gives how many rows went. */
  prune(at: Instant): number {
    this.#pruneLeases.run(at)
    return Number(this.#prune.run(at).changes)
  }
}
