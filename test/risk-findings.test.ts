import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadPolicy } from '../src/core/policy/index.ts'
import { attacks, owasp } from '../src/core/risk/attacks.ts'
import { type CheckId, poisoning } from '../src/core/risk/findings/index.ts'
import { judgeTool } from '../src/core/risk/judge.ts'
import type { ToolDefinition } from '../src/core/risk/model.ts'
import { recommendServer } from '../src/core/risk/recommend.ts'

const folder = new URL('cases/risk/', import.meta.url)
const lines = (file: URL): readonly string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')

const poisoned = lines(new URL('poisoned.jsonl', folder)).map(
  (line) => JSON.parse(line) as { readonly kind: string; readonly tool: ToolDefinition },
)
const honestFolder = new URL('honest/', folder)
const honest = readdirSync(honestFolder)
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) =>
    lines(new URL(name, honestFolder)).map((line) => ({
      server: name.replace('.jsonl', ''),
      tool: JSON.parse(line) as ToolDefinition,
    })),
  )

const isPoisoned = (tool: ToolDefinition): boolean =>
  judgeTool(tool).findings.some(({ id }) => poisoning.includes(id as CheckId))

describe('findings on the corpus', () => {
  test('there are at least 60 poisoned and 300 honest tools', () => {
    expect(poisoned.length).toBeGreaterThanOrEqual(60)
    expect(honest.length).toBeGreaterThanOrEqual(300)
  })
  test('at least 95 % of the poisoned tools are found', ({ annotate }) => {
    const missed = poisoned.filter(({ tool }) => !isPoisoned(tool))
    void annotate(
      `${missed.length} of ${poisoned.length} missed: ${missed.map((m) => m.tool.name).join(', ')}`,
    )
    expect(missed.length / poisoned.length).toBeLessThanOrEqual(0.05)
  })
  test('at most 1 % of the honest tools are called poisoned', ({ annotate }) => {
    const accused = honest.filter(({ tool }) => isPoisoned(tool))
    void annotate(
      `${accused.length} of ${honest.length}: ${accused.map((a) => a.tool.name).join(', ')}`,
    )
    expect(accused.length / honest.length).toBeLessThanOrEqual(0.01)
  })
  test('every finding names a known attack pattern and an entry of the Top 10, and quotes little', () => {
    for (const { tool } of [...poisoned, ...honest])
      for (const finding of judgeTool(tool).findings) {
        expect(Object.keys(owasp)).toContain(finding.owasp)
        expect(finding.attacks.length).toBeGreaterThan(0)
        for (const id of finding.attacks) expect(Object.keys(attacks)).toContain(id)
        expect(finding.quote.length).toBeLessThanOrEqual(120)
        expect(finding.at).not.toBe('')
      }
  })
})

describe('the recommended policy of every server of the corpus', () => {
  const servers = new Map(
    honest.map(({ server }) => [server, honest.filter((h) => h.server === server)]),
  )
  test.each([...servers.keys()])('%s is valid, without a warning', (server) => {
    const tools = (servers.get(server) ?? []).map(({ tool }) => judgeTool(tool))
    const loaded = loadPolicy(JSON.stringify(recommendServer(server, tools)), { format: 'json' })
    expect(loaded).toMatchObject({ ok: true, warnings: [] })
  })
})
