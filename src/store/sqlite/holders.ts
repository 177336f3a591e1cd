import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { StatementSync } from 'node:sqlite'
import type { Database } from './database.ts'

/** How often a process says that it is alive. */
const BEAT_MS = 3000
/** A holder whose beat did not change for so long while we looked is dead. */
const DEAD_AFTER_MS = 11_000

interface HolderRow {
  readonly id: string
  readonly place: string
  readonly pid: number
  readonly started: string
  readonly beat: number
}

const readOr = (read: () => string, fallback: string): string => {
  try {
    return read().trim()
  } catch {
    return fallback
  }
}

/** Where a pid means what it means here: machine, boot and pid namespace. */
const placeHere = (): string =>
  [
    hostname(),
    readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), ''),
    readOr(() => readlinkSync('/proc/self/ns/pid'), ''),
  ].join(' ')

/** When a process of this machine started, which tells it from a later one of the same pid; '' if unknown. */
const startOf = (pid: number): string =>
  readOr(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name, in parentheses, may hold spaces; the start is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  }, '')

/** False only when the process is surely gone. */
function mayRun(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Who holds slots, and who of them is dead. A beat is a count that its holder moves; who looks
 * judges by its own monotonic clock, so no wall clock is compared and a suspended machine kills nobody.
 */
export class Holders {
  readonly id: string
  readonly #place = placeHere()
  readonly #seen = new Map<string, { beat: number; since: number }>()
  readonly #database: Database
  readonly #put: StatementSync
  readonly #all: StatementSync
  readonly #remove: StatementSync
  readonly #removeSlots: StatementSync
  readonly #removeLeases: StatementSync
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #beat = 0
  #isKnown = false

  /** `now` is a monotonic clock, in milliseconds. */
  constructor(database: Database, id: string, now = (): number => performance.now()) {
    this.id = id
    this.#now = now
    this.#database = database
    const { db } = database
    this.#put = db.prepare('INSERT OR REPLACE INTO holders VALUES (?, ?, ?, ?, ?)')
    this.#all = db.prepare('SELECT id, place, pid, started, beat FROM holders WHERE id <> ?')
    this.#remove = db.prepare('DELETE FROM holders WHERE id = ?')
    this.#removeSlots = db.prepare('DELETE FROM slots WHERE holder = ?')
    this.#removeLeases = db.prepare('DELETE FROM leases WHERE holder = ?')
    // What a process left that died before this one started is dead a while after this start.
    this.#look(this.#now())
  }

  /** Makes this process known before its first slot. INVARIANT: runs inside a transaction. */
  enter(): void {
    if (this.#isKnown) return
    this.#write()
    this.#timer ??= setInterval(() => this.#tick(), BEAT_MS).unref()
  }

  /** A transaction that called `enter` was rolled back. */
  undoEnter(): void {
    this.#isKnown = false
  }

  /** Frees what the dead held; true when anybody was. INVARIANT: runs inside a transaction. */
  reap(): boolean {
    const dead = this.#look(this.#now())
    for (const id of dead) this.#forget(id)
    return dead.length > 0
  }

  /** Leaves, and frees what this process held. */
  close(): void {
    clearInterval(this.#timer)
    this.#database.transact(() => this.#forget(this.id))
  }

  #forget(id: string): void {
    this.#removeSlots.run(id)
    this.#removeLeases.run(id)
    this.#remove.run(id)
    this.#seen.delete(id)
  }

  #write(): void {
    this.#put.run(this.id, this.#place, process.pid, startOf(process.pid), this.#beat++)
    this.#isKnown = true
  }

  #tick(): void {
    try {
      this.#database.transact(() => this.#write())
      this.#look(this.#now())
    } catch {
      // A missed beat is made up by the next; three in a row, and others take this process for dead.
    }
  }

  /** Looks at every other holder; gives those that are dead. */
  #look(now: number): readonly string[] {
    const rows = this.#all.all(this.id) as unknown as readonly HolderRow[]
    return rows.filter((row) => this.#isDead(row, now)).map((row) => row.id)
  }

  #isDead(row: HolderRow, now: number): boolean {
    if (row.place === this.#place) {
      if (!mayRun(row.pid)) return true
      const started = startOf(row.pid)
      if (row.started !== '' && started !== '' && started !== row.started) return true
    }
    const seen = this.#seen.get(row.id)
    if (seen === undefined || seen.beat !== row.beat) {
      this.#seen.set(row.id, { beat: row.beat, since: now })
      return false
    }
    return now - seen.since > DEAD_AFTER_MS
  }
}
