/** What every record store must do; each implementation runs all of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RecordStore } from '../../src/core/ports.ts'
import { aRecord, recordId } from '../fakes/records.ts'

/** An open store, and how to end it. */
export interface OpenedRecords {
  readonly records: RecordStore
  close(): Promise<void>
}

/** Runs the contract against a store that `open` gives, a fresh one for each test. */
export function describeRecordStore(name: string, open: () => Promise<OpenedRecords>): void {
  describe(`records ${name}`, () => {
    let opened: OpenedRecords
    let records: RecordStore
    beforeEach(async () => {
      opened = await open()
      records = opened.records
    })
    afterEach(() => opened.close())

    const numbers = async (query: object): Promise<number[]> =>
      (await records.list({ limit: 100, ...query })).map((record) => record.latencyMs)

    test('a record comes back as it was put, whatever is absent from it', async () => {
      const full = aRecord(1, {
        requestId: '"7"',
        session: 's-1',
        tool: 'tool ☃ \u0000 "quoted"',
        code: 'upstream_lost',
        upstreamStatus: 502,
        category: 'Write',
        severity: 'High',
        argumentKeys: ['path', '__proto__'],
      })
      const bare = aRecord(2)
      records.put(full)
      records.put(bare)
      expect(await records.list({ limit: 10 })).toEqual([bare, full])
      for (const record of await records.list({ limit: 10 }))
        expect(Object.keys(record).sort()).toEqual(Object.keys(full).sort())
    })

    test('the newest come first, as many as asked for', async () => {
      for (let i = 0; i < 10; i++) records.put(aRecord(i))
      expect(await numbers({ limit: 3 })).toEqual([9, 8, 7])
      expect(await numbers({})).toHaveLength(10)
    })

    test('pages join without a gap or a repetition', async () => {
      for (let i = 0; i < 25; i++) records.put(aRecord(i))
      const all = []
      let before: string | undefined
      for (;;) {
        const page = await records.list({ limit: 10, ...(before === undefined ? {} : { before }) })
        all.push(...page.map((record) => record.latencyMs))
        before = page.at(-1)?.id
        if (page.length < 10) break
      }
      expect(all).toEqual(Array.from({ length: 25 }, (_, i) => 24 - i))
    })

    test('who follows sees every record once, oldest first', async () => {
      records.put(aRecord(0))
      const seen: number[] = []
      let after = recordId(0)
      for (let i = 1; i <= 30; i++) {
        records.put(aRecord(i))
        if (i % 4 !== 0) continue
        const page = await records.list({ limit: 3, after })
        after = page.at(-1)?.id ?? after
        seen.push(...page.map((record) => record.latencyMs))
      }
      for (;;) {
        const page = await records.list({ limit: 3, after })
        after = page.at(-1)?.id ?? after
        seen.push(...page.map((record) => record.latencyMs))
        if (page.length === 0) break
      }
      expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    })

    test('a position that is not there is taken by its place among the ids', async () => {
      for (const i of [1, 2, 4, 5]) records.put(aRecord(i))
      expect(await numbers({ after: recordId(3) })).toEqual([4, 5])
      expect(await numbers({ before: recordId(3) })).toEqual([2, 1])
      expect(await numbers({ after: recordId(9) })).toEqual([])
      expect(await numbers({ before: recordId(0) })).toEqual([])
    })

    test.each([
      [{ server: 'a' }, [3, 2, 0]],
      [{ tool: 'read' }, [2, 0]],
      [{ effect: 'deny' }, [3, 1]],
      [{ grant: 'g2' }, [3]],
      [{ since: 1002 }, [3, 2]],
      [{ server: 'a', effect: 'allow', tool: 'read' }, [2, 0]],
      [{ server: 'nobody' }, []],
      [{ server: 'a', before: recordId(3) }, [2, 0]],
      [{ server: 'a', after: recordId(0) }, [2, 3]],
      [{ tool: 'read', limit: 1 }, [2]],
    ])('asked for %o it gives %o', async (query, want) => {
      const grant = { id: 'g2', label: 'second' }
      records.put(aRecord(0, { at: 1000, server: 'a', tool: 'read' }))
      records.put(aRecord(1, { at: 1001, server: 'b', tool: 'write', effect: 'deny' }))
      records.put(aRecord(2, { at: 1002, server: 'a', tool: 'read' }))
      records.put(aRecord(3, { at: 1003, server: 'a', effect: 'deny', grant }))
      expect(await numbers(query)).toEqual(want)
    })

    test('a flush with nothing to write resolves', async () => {
      await records.flush()
      expect(records.dropped()).toBe(0)
    })

    test('thousands put at once are all kept', async () => {
      for (let i = 0; i < 12_000; i++) records.put(aRecord(i))
      await records.flush()
      expect(records.dropped()).toBe(0)
      expect(await records.list({ limit: 20_000 })).toHaveLength(12_000)
      expect(await numbers({ since: 1_000_011_999, limit: 5 })).toEqual([11_999])
    })
  })
}
