import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { capturedIo } from '../../../test/fakes/captured-io.ts'
import { run } from '../run.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-classify-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

async function classifyLines(...lines: readonly string[]) {
  const file = join(dir, 'tools.jsonl')
  writeFileSync(file, lines.join('\n'))
  const io = capturedIo({ cwd: dir })
  const code = await run(['catalogue', 'classify', 'tools.jsonl'], io)
  const rows = io
    .out()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return { code, rows, out: io.out(), err: io.err() }
}

test('a line is printed for each tool, with the members of the contract', async () => {
  const { code, rows } = await classifyLines(
    '{"name":"start_dicom_export_job","description":""}',
    '',
    '{"name":"delete_user","description":"Deletes.","server":{"name":"people"}}',
  )
  expect(code).toBe(0)
  expect(rows).toHaveLength(2)
  expect(Object.keys(rows[0])).toEqual([
    'name',
    'category',
    'riskClass',
    'severity',
    'confidence',
    'evidence',
    'findings',
    'recommended',
  ])
  expect(rows[0]).toMatchObject({ category: 'Execute', riskClass: 'High', severity: 'High' })
  expect(rows[0].evidence).toEqual([
    { signal: 'verb_in_name', quote: 'start … job' },
    { signal: 'verb_in_name', quote: 'export' },
  ])
  expect(rows[1].recommended.tools.delete_user).toMatchObject({ action: 'approve' })
})

test('reading patient data is a read of raised severity', async () => {
  const { rows } = await classifyLines(
    '{"name":"get_patient_dicomweb_studies","description":"Gets studies."}',
  )
  expect(rows[0]).toMatchObject({ category: 'Read', riskClass: 'Low', severity: 'Medium' })
})

test('an argument that chooses has a class for each of its values', async () => {
  const tool = {
    name: 'manage_notes',
    inputSchema: { type: 'object', properties: { action: { enum: ['list', 'delete'] } } },
  }
  const { rows } = await classifyLines(JSON.stringify(tool))
  expect(rows[0].operations).toEqual([
    { argument: 'action', value: 'list', category: 'Read' },
    { argument: 'action', value: 'delete', category: 'Destructive' },
  ])
})

test('a line that is no tool is told and skipped, and nothing hidden is printed', async () => {
  const { code, rows, out, err } = await classifyLines('nonsense', '{"name":"a\u202eb"}')
  expect(code).toBe(1)
  expect(rows.map(({ name }) => name)).toEqual(['a\u202eb'])
  expect(out).not.toContain('\u202e')
  expect(err).toContain('tools.jsonl:1: not a JSON object')
})

test('a file that is not there is told with its name', async () => {
  const io = capturedIo({ cwd: dir })
  expect(await run(['catalogue', 'classify', 'none.jsonl'], io)).toBe(1)
  expect(io.err()).toContain('can not read `none.jsonl` (ENOENT)')
})
