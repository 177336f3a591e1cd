import { setTimeout as pause } from 'node:timers/promises'
import type { RecordQuery, RecordStore } from '../core/ports.ts'
import type { DecisionRecord } from '../core/record/record.ts'
import { uuid7 } from '../core/uuid7.ts'

const pollMs = 200
const page = 500
/**
 * Each process writes its records a little after it made their ids, so that an older id may arrive
 * after a newer one: this far back is read again.
 */
const overlapMs = 2000

/** What records are asked for, their place in the listing aside. */
export type Filter = Omit<RecordQuery, 'limit' | 'before' | 'after'>

/** Shows every record that comes after those already shown, until the signal. */
export async function follow(o: {
  readonly records: RecordStore
  readonly filter: Filter
  readonly shown: readonly DecisionRecord[]
  readonly show: (record: DecisionRecord) => void
  readonly signal: AbortSignal
}): Promise<void> {
  const seen = new Map(o.shown.map((record) => [record.id, record.at]))
  let newest = o.shown.at(-1)?.at ?? 0
  while (!o.signal.aborted) {
    let after = uuid7(newest - overlapMs, new Uint8Array(10))
    for (;;) {
      const records = await o.records.list({ ...o.filter, limit: page, after })
      for (const record of records) {
        if (!seen.has(record.id)) o.show(record)
        seen.set(record.id, record.at)
        newest = Math.max(newest, record.at)
      }
      const last = records.at(-1)
      if (last === undefined || records.length < page) break
      after = last.id
    }
    for (const [id, at] of seen) if (at < newest - 2 * overlapMs) seen.delete(id)
    await pause(pollMs, undefined, { signal: o.signal }).catch(() => undefined)
  }
}
