import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Outcome, Revision, Run, Status } from './run-model.ts'

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/', import.meta.url),
)
const LIMIT_MS = 240_000

/** The version of the suite. */
export const SUITE_VERSION: string = (
  JSON.parse(readFileSync(join(SUITE, 'package.json'), 'utf8')) as { version: string }
).version

type Leg = 'server' | 'client'

/** What the suite requires at a revision. */
export function requirementsOf(revision: Revision) {
  const file = join(SUITE, 'requirements', `${revision}.yaml`)
  const { server, client, not_scored } = parse(readFileSync(file, 'utf8')) as {
    server: string[]
    client: string[]
    not_scored: { scenario: string; leg: Leg }[]
  }
  return { server, client, notScored: not_scored }
}

/** What is run: every scenario that is required at the revision, or one. */
export interface SuiteRequest {
  readonly leg: Leg
  readonly revision: Revision
  /** The URL of the server, or the command that is the client. */
  readonly subject: string
  readonly scenario?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the suite and reads its results. */
export async function runSuite({
  leg,
  revision,
  subject,
  scenario,
  env,
}: SuiteRequest): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'))
  try {
    const what =
      scenario === undefined
        ? ['--requirements', revision]
        : ['--scenario', scenario, '--spec-version', revision, '--force']
    const said = await runProgram(
      [
        join(SUITE, 'dist/index.js'),
        leg,
        leg === 'server' ? '--url' : '--command',
        subject,
        ...what,
        ...['--timeout', '30000', '--output-dir', folder],
      ],
      env ?? {},
    )
    const run = collect(folder, leg, new Set(requirementsOf(revision)[leg]))
    if (Object.keys(run).length === 0) throw new Error(`the suite says nothing:\n${said}`)
    return run
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(LIMIT_MS),
    killSignal: 'SIGKILL',
  })
  let said = ''
  const hear = (text: string): void => {
    said = (said + text).slice(-20_000)
  }
  child.stdout.setEncoding('utf8').on('data', hear)
  child.stderr.setEncoding('utf8').on('data', hear)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // Its exit code only repeats whether a check failed.
    child.once('close', () => resolve(said))
  })
}

interface Check {
  readonly id: string
  readonly status: Status
  readonly errorMessage?: string
}

const SEVERITY: Readonly<Record<Status, number>> = {
  FAILURE: 4,
  WARNING: 3,
  SUCCESS: 2,
  SKIPPED: 1,
  INFO: 0,
}

/** Reads every `checks.json` below a folder. A scenario that broke off leaves none, or an empty one. */
function collect(folder: string, leg: Leg, scored: ReadonlySet<string>): Run {
  const run: Record<string, Outcome> = {}
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (basename(file) !== 'checks.json') continue
    const name = nameOf(dirname(file), leg)
    const checks = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Check[]
    run[name] = { isScored: scored.has(name), ...fold(checks) }
  }
  return run
}

/** `server-tools-list-2026-01-01T00-00-00-000Z`: the leg and the time are not the name. */
const nameOf = (folder: string, leg: Leg): string =>
  folder
    .replaceAll('\\', '/')
    .replace(leg === 'server' ? /^server-/ : '', '')
    .replace(/-\d{4}-\d\d-\d\dT[\d:.Z-]+$/, '')

function fold(all: readonly Check[]): Pick<Outcome, 'checks' | 'errors'> {
  const checks: Record<string, Status> = {}
  const errors: Record<string, string> = {}
  for (const { id, status, errorMessage } of all) {
    const before = checks[id]
    if (before === undefined || SEVERITY[status] > SEVERITY[before]) checks[id] = status
    if (status === 'FAILURE') errors[id] = (errorMessage ?? '').replace(/\s+/g, ' ').slice(0, 400)
  }
  return { checks, errors }
}
