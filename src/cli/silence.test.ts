import { expect, test } from 'vitest'
import { silenceSqliteWarning } from './silence.ts'

test('only the warning of the embedded database is dropped', () => {
  const shown: unknown[][] = []
  const host = {
    emitWarning: (...words: unknown[]) => shown.push(words),
  } as unknown as NodeJS.Process
  silenceSqliteWarning(host)
  host.emitWarning(
    'SQLite is an experimental feature and might change at any time',
    'ExperimentalWarning',
  )
  host.emitWarning('SQLite is an experimental feature', { type: 'ExperimentalWarning' })
  expect(shown).toEqual([])
  host.emitWarning('SQLite is an experimental feature', 'Warning')
  host.emitWarning('another feature', 'ExperimentalWarning', 'CODE')
  host.emitWarning(new Error('x'))
  expect(shown).toHaveLength(3)
  expect(shown[1]).toEqual(['another feature', 'ExperimentalWarning', 'CODE'])
})
