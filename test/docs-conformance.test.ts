import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readBaseline } from './conformance/baseline.ts'
import { EXPLANATIONS, explanationOf } from './conformance/explanations.ts'
import { SUBJECTS } from './conformance/measure.ts'
import { PAGE_FILE, pageOf } from './conformance/page.ts'

const { rows } = readBaseline()

test('docs/conformance.md tells the committed results', () => {
  expect(readFileSync(PAGE_FILE, 'utf8')).toBe(pageOf(readBaseline()))
})

test('everything that is measured has a committed result, and nothing else has', () => {
  expect(Object.keys(rows).sort()).toEqual(SUBJECTS.map(({ id }) => id).sort())
})

test('every explanation is of a difference that there is, or that comes and goes', () => {
  const used = new Set(
    Object.entries(rows).flatMap(([id, { differences }]) =>
      differences.map((line) => explanationOf(id, line)),
    ),
  )
  expect(EXPLANATIONS.filter((one) => one.isUnsteady !== true && !used.has(one))).toEqual([])
})

test('the reference server passes everything that is scored when it is asked directly', () => {
  const [old, modern] = ['both-http@2025-11-25', 'both-http@2026-07-28'].map(
    (id) => rows[id]?.direct.scored,
  )
  expect(old).toEqual({ scenarios: [30, 30], checks: [70, 70] })
  expect(modern).toEqual({ scenarios: [37, 37], checks: [118, 118] })
})

test('a client and a server of one era lose nothing over HTTP', () => {
  const lost = SUBJECTS.filter(({ kind, id }) => kind === 'same era' && /-http@/.test(id))
    .flatMap(({ id }) => rows[id]?.differences.map((line) => `${id} ${line}`) ?? [])
    .filter((line) => line.includes(' lost '))
  expect(lost).toEqual([])
})
