import type { DecisionRecord } from '../../core/record/record.ts'

/** Records that wait to be written: bounded, the oldest go first. */
export class RecordQueue {
  readonly #bound: number
  #records: DecisionRecord[] = []
  /** Index of the oldest; those before it are done. */
  #head = 0
  #dropped = 0

  constructor(bound: number) {
    this.#bound = bound
  }

  get length(): number {
    return this.#records.length - this.#head
  }

  get dropped(): number {
    return this.#dropped
  }

  push(record: DecisionRecord): void {
    this.#records.push(record)
    if (this.length <= this.#bound) return
    this.remove(1)
    this.#dropped += 1
  }

  /** The oldest `count` records, which stay until they are removed. */
  oldest(count: number): readonly DecisionRecord[] {
    return this.#records.slice(this.#head, this.#head + count)
  }

  remove(count: number): void {
    this.#head += count
    // Now and then, so that removing costs the same however long the queue is.
    if (this.#head < 1024 || this.#head * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#head)
    this.#head = 0
  }

  /** Gives up on all that is left. */
  drop(): void {
    this.#dropped += this.length
    this.#records = []
    this.#head = 0
  }
}
