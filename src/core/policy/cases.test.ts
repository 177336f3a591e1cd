import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseCases, runCase } from './cases.ts'

const folder = new URL('../../../test/cases/policy/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml')))
  describe(file, () => {
    const cases = parseCases(readFileSync(new URL(file, folder), 'utf8'))
    test('names are not repeated', () => {
      const names = cases.map((c) => c.name)
      expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    })
    for (const policyCase of cases)
      test(policyCase.name, () => {
        expect(runCase(policyCase).differences).toEqual([])
      })
  })
