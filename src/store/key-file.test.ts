import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startChild } from '../../test/fakes/child.ts'
import { type DataDir, makeDataDir } from '../../test/fakes/data-dir.ts'
import { openKey } from './key-file.ts'
import { StoreError } from './store-error.ts'

describe('the key file', () => {
  let dataDir: DataDir
  beforeEach(() => {
    dataDir = makeDataDir()
  })
  afterEach(() => dataDir.remove())

  test('is made once, and only its owner may read it', () => {
    const key = openKey(dataDir.path)
    expect(key).toHaveLength(32)
    expect(openKey(dataDir.path).equals(key)).toBe(true)
    expect(statSync(join(dataDir.path, 'key')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dataDir.path)).toEqual(['key'])
  })

  test('is made in a data directory that is made with it', () => {
    const path = join(dataDir.path, 'a', 'b')
    expect(openKey(path)).toHaveLength(32)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('differs between data directories', () => {
    expect(openKey(join(dataDir.path, 'a')).equals(openKey(join(dataDir.path, 'b')))).toBe(false)
  })

  test('is one and the same for processes that race to make it', async () => {
    const children = Array.from({ length: 4 }, () => startChild('open-child', [dataDir.path]))
    const said = await Promise.all(children.map((child) => child.said('')))
    expect(said[0]).toMatch(/^opened [0-9a-f]{64}$/)
    expect(new Set(said).size).toBe(1)
    await Promise.all(children.map((child) => child.ended()))
  })

  test.each([0, 31, 33])(
    'of %i bytes is refused, with its mend and without its bytes',
    (length) => {
      writeFileSync(join(dataDir.path, 'key'), 'k'.repeat(length))
      const opening = () => openKey(dataDir.path)
      expect(opening).toThrow(StoreError)
      expect(opening).toThrow(new RegExp(`holds ${length} bytes, not 32; restore it`))
      expect(opening).not.toThrow(/kkk/)
    },
  )
})
