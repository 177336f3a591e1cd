/** What every noun store must do; each implementation runs all of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NounStore } from '../../src/core/ports.ts'

/** An open store, and how to end it. */
export interface OpenedNouns {
  readonly nouns: NounStore
  close(): Promise<void>
}

/** Runs the contract against a store that `open` gives, a fresh one for each test. */
export function describeNounStore(name: string, open: () => Promise<OpenedNouns>): void {
  describe(`nouns ${name}`, () => {
    let opened: OpenedNouns
    let nouns: NounStore
    beforeEach(async () => {
      opened = await open()
      nouns = opened.nouns
    })
    afterEach(() => opened.close())

    test('what is put is listed, with an id and version 1', async () => {
      const put = await nouns.put({ kind: 'server', name: 'a', document: '{"x":1}', at: 1000 })
      expect(put).toEqual({
        kind: 'server',
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        name: 'a',
        document: '{"x":1}',
        version: 1,
        createdAt: 1000,
        updatedAt: 1000,
      })
      expect(await nouns.list()).toEqual([put])
    })

    test('what is put again keeps its id and birth, and is one version higher', async () => {
      const first = await nouns.put({ kind: 'policy', name: 'p', document: '1', at: 1000 })
      const second = await nouns.put({ kind: 'policy', name: 'p', document: '2', at: 2000 })
      expect(second).toEqual({ ...first, document: '2', version: 2, updatedAt: 2000 })
      expect(await nouns.list()).toEqual([second])
    })

    test('the same name of another kind is another thing', async () => {
      const a = await nouns.put({ kind: 'grant', name: 'x', document: '1', at: 1 })
      const b = await nouns.put({ kind: 'policy', name: 'x', document: '2', at: 2 })
      expect(a.id).not.toBe(b.id)
      expect(await nouns.remove('grant', 'x')).toBe(true)
      expect(await nouns.list()).toEqual([b])
    })

    test('names are exact, and any text will do', async () => {
      const names = ['a', 'A', 'é', 'e\u0301', "x'; DROP TABLE nouns; --", ' ']
      for (const name of names) await nouns.put({ kind: 'grant', name, document: '', at: 1 })
      const listed = (await nouns.list()).map((noun) => noun.name)
      expect([...listed].sort()).toEqual([...names].sort())
    })

    test('removing says whether there was anything', async () => {
      expect(await nouns.remove('grant', 'x')).toBe(false)
      await nouns.put({ kind: 'grant', name: 'x', document: '', at: 1 })
      expect(await nouns.remove('grant', 'x')).toBe(true)
      expect(await nouns.remove('grant', 'x')).toBe(false)
      expect(await nouns.list()).toEqual([])
    })

    test('what is made anew after it was removed is another thing', async () => {
      const first = await nouns.put({ kind: 'grant', name: 'x', document: '', at: 1 })
      await nouns.remove('grant', 'x')
      const second = await nouns.put({ kind: 'grant', name: 'x', document: '', at: 1 })
      expect(second.id).not.toBe(first.id)
      expect(second.version).toBe(1)
    })

    test('the revision changes with every change, and with nothing else', async () => {
      const revisions = [nouns.revision()]
      const note = (): void => void revisions.push(nouns.revision())
      await nouns.put({ kind: 'grant', name: 'x', document: '1', at: 1 })
      note()
      await nouns.put({ kind: 'grant', name: 'x', document: '2', at: 1 })
      note()
      await nouns.remove('grant', 'x')
      note()
      expect(new Set(revisions).size).toBe(4)
      await nouns.list()
      await nouns.remove('grant', 'x')
      expect(nouns.revision()).toBe(revisions.at(-1))
    })
  })
}
