import type { RecordQuery, RecordStore } from '../../core/ports.ts'
import type { DecisionRecord } from '../../core/record/record.ts'

/** How many records are kept; the oldest go. */
const BOUND = 20_000

/** True when the record is one that the query asks for, its position aside. */
const matches = (record: DecisionRecord, query: RecordQuery): boolean =>
  (query.since === undefined || record.at >= query.since) &&
  (query.server === undefined || record.server === query.server) &&
  (query.tool === undefined || record.tool === query.tool) &&
  (query.effect === undefined || record.effect === query.effect) &&
  (query.grant === undefined || record.grant.id === query.grant)

/** Records of one process, in memory. */
export class MemoryRecords implements RecordStore {
  readonly #records: DecisionRecord[] = []
  #dropped = 0

  put(record: DecisionRecord): void {
    this.#records.push(record)
    if (this.#records.length <= BOUND) return
    this.#records.shift()
    this.#dropped += 1
  }

  async flush(): Promise<void> {}

  async list(query: RecordQuery): Promise<readonly DecisionRecord[]> {
    const { before, after, limit } = query
    const asked = (record: DecisionRecord): boolean => matches(record, query)
    if (after !== undefined)
      return this.#records.slice(this.#indexAfter(after)).filter(asked).slice(0, limit)
    const until = before === undefined ? this.#records.length : this.#indexFrom(before)
    return this.#records.slice(0, until).reverse().filter(asked).slice(0, limit)
  }

  dropped(): number {
    return this.#dropped
  }

  /** The index of the record; of the first younger one when it is not there. */
  #indexFrom(id: string): number {
    const exact = this.#records.findIndex((record) => record.id === id)
    if (exact >= 0) return exact
    const younger = this.#records.findIndex((record) => record.id > id)
    return younger >= 0 ? younger : this.#records.length
  }

  #indexAfter(id: string): number {
    const index = this.#indexFrom(id)
    return this.#records[index]?.id === id ? index + 1 : index
  }
}
