import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Finding } from './findings/finding.ts'
import { type GradedServer, grade } from './grade.ts'
import { precedence } from './model.ts'

const finding = (severity: Finding['severity']): Finding => ({
  id: 'hidden_text',
  severity,
  message: '',
  at: '',
  quote: '',
  owasp: 'MCP03',
  attacks: ['tool_poisoning'],
})
const server = (more: Partial<GradedServer> = {}): GradedServer => ({
  categories: ['Read'],
  findings: [],
  reach: { kind: 'process' },
  isPinned: undefined,
  drifted: undefined,
  ...more,
})

test('a server that only reads, without findings, is an A', () => {
  expect(grade(server())).toEqual({ mark: 'A', score: 100, deductions: [] })
})

test('the mix, the findings, the access, the package and the drift all cost', () => {
  const { score, deductions } = grade(
    server({
      categories: ['Read', 'Write', 'Execute', 'Destructive'],
      findings: [finding('Low'), finding('Medium')],
      reach: { kind: 'url', isPlain: true, hasCredential: false },
      isPinned: false,
      drifted: 2,
    }),
  )
  expect(deductions.map(({ points }) => points)).toEqual([1.3, 3.8, 6.3, 1, 3, 15, 15, 5, 12])
  expect(score).toBe(Math.round(100 - 62.4))
})

test('a critical finding makes an F, whatever else is well', () => {
  expect(grade(server({ findings: [finding('Critical')] }))).toMatchObject({ mark: 'F', score: 30 })
})

test('many findings of one severity have a ceiling', () => {
  const many = Array.from({ length: 500 }, () => finding('Low'))
  expect(grade(server({ findings: many })).score).toBe(92)
})

test('another finding or a graver tool never gives a better grade', () => {
  const severity = fc.constantFrom('Low', 'Medium', 'High', 'Critical' as const)
  const categories = fc.array(fc.constantFrom(...precedence), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(categories, fc.array(severity), severity, (tools, severities, one) => {
      const before = grade(server({ categories: tools, findings: severities.map(finding) }))
      const more = [...severities, one].map(finding)
      expect(grade(server({ categories: tools, findings: more })).score).toBeLessThanOrEqual(
        before.score,
      )
      expect(before.score).toBeGreaterThanOrEqual(0)
      const graver = tools.map((c, i) => (i === 0 ? 'Destructive' : c))
      expect(
        grade(server({ categories: graver, findings: severities.map(finding) })).score,
      ).toBeLessThanOrEqual(before.score)
    }),
  )
})
