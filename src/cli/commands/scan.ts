import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import type { Severity } from '../../core/policy/model.ts'
import { compareSeverities } from '../../core/risk/findings/index.ts'
import { viewStack } from '../../core/risk/stack.ts'
import { type Command, CommandError, type Io, UsageError, type Words } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { jsonFlag } from '../noun-commands.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { reportHtml } from '../scan/render-html.ts'
import { reportJson } from '../scan/render-json.ts'
import { reportSarif } from '../scan/render-sarif.ts'
import { reportTable } from '../scan/render-table.ts'
import { type Report, type ScannedServer, worstOf } from '../scan/report.ts'
import { type Progress, scanAll } from '../scan/scan-all.ts'
import { type Plan, planOf } from '../scan/subjects.ts'
import { writePolicies } from '../scan/write-policy.ts'
import { hasColour } from '../stream.ts'
import { systemClock } from '../wire.ts'

const SEVERITIES = ['Low', 'Medium', 'High', 'Critical'] as const satisfies readonly Severity[]

/** `scan`. */
export const command: Command = {
  usage:
    '(-- CMD ARGS… | --upstream URL [--header H]… | --config FILE | --clients) [--json | --sarif | --html] [--output FILE] [--write-policy FILE] [--fail-on SEVERITY]',
  about:
    'Lists every tool that agents can call, with its class and why, what is wrong with it, a grade for each server, and what they make together. Starts or contacts each server and asks for its tools; calls none.',
  flags: {
    upstream: { type: 'string', value: 'URL', about: 'a server with a URL' },
    header: {
      type: 'string',
      multiple: true,
      value: "'NAME: VALUE'",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: written by the reader, for us to expand
      about: 'sent to the upstream; ${VAR} is read from the environment',
    },
    config: {
      type: 'string',
      value: 'FILE',
      about: 'every server of a sallyport.yaml, and what its policies do with their tools',
    },
    clients: {
      type: 'boolean',
      about: 'every server that an MCP client on this machine is configured with',
    },
    name: { type: 'string', value: 'NAME', about: 'what to call a server that stands alone' },
    timeout: {
      type: 'string',
      value: 'DURATION',
      about: 'for one server, from its start to its last tool (default 60s)',
    },
    ...jsonFlag,
    sarif: { type: 'boolean', about: 'print SARIF 2.1.0, for code scanning' },
    html: { type: 'boolean', about: 'print a page that needs nothing else' },
    output: { type: 'string', value: 'FILE', about: 'write there what would be printed' },
    'write-policy': {
      type: 'string',
      value: 'FILE',
      about: 'write the recommended policy (of several servers: a file each into this folder)',
    },
    'fail-on': {
      type: 'string',
      value: 'SEVERITY',
      about: 'exit 1 on a finding as bad (low, medium, high, critical), or a server that fails',
    },
  },
  positionals: { min: 0, max: 0 },
  takesRest: true,
  examples: [
    ['scan -- npx -y @modelcontextprotocol/server-filesystem@2026.8.31 ~/notes', 'a command'],
    ['scan --clients', 'everything that the clients of this machine can call'],
    ['scan --config sallyport.yaml --sarif --output scan.sarif --fail-on high', 'in CI'],
    ['scan --upstream https://mcp.example.com/mcp --write-policy p.json', 'start from a policy'],
  ],
  run: async (words, io) => {
    const format = formatOf(words)
    const failOn = severityOf(words.text('fail-on'))
    const timeoutMs = timeoutOf(words.text('timeout'))
    const plan = planOf(words, io)
    for (const note of plan.notes) io.stderr.write(`sallyport: ${printable.text(note)}\n`)
    const means = { clock: systemClock, timeoutMs }
    const stop = endOnSignals()
    const scanned = await scanAll(plan.subjects, means, progressOn(io))
    stop()
    const report = reportOf([...scanned, ...skippedOf(plan)], plan)
    const text = rendered(report, { format, plan, io, isFile: words.has('output') })
    const output = words.text('output')
    if (output === undefined) io.stdout.write(text)
    else writeOutput(resolve(io.cwd, output), text)
    const policy = words.text('write-policy')
    if (policy !== undefined)
      for (const file of writePolicies(report, policy, io.cwd))
        io.stderr.write(`wrote ${printable.text(file)}\n`)
    return exitCode(report, failOn)
  },
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Lets a signal end the program by its own exit, which takes every started process with it: they
 * stand in groups of their own, where a terminal's signal does not reach them.
 */
function endOnSignals(): () => void {
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
    const end = (): void => process.exit(code)
    process.once(signal, end)
    return () => process.off(signal, end)
  })
  return () => {
    for (const off of handlers) off()
  }
}

type Format = 'table' | 'json' | 'sarif' | 'html'

function formatOf(words: Words): Format {
  const [format = 'table', other] = (['json', 'sarif', 'html'] as const).filter((f) => words.has(f))
  if (other !== undefined)
    throw new UsageError(`\`--${format}\` and \`--${other}\` are two formats: choose one`)
  return format
}

function severityOf(text: string | undefined): Severity | undefined {
  if (text === undefined) return undefined
  const found = SEVERITIES.find((s) => s.toLowerCase() === text.toLowerCase())
  if (found === undefined)
    throw new UsageError(`\`--fail-on\` is low, medium, high or critical, not \`${text}\``)
  return found
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 60_000
  const ms = parseDuration(text)
  if (ms === undefined || ms < 1000 || ms > 3_600_000)
    throw new UsageError('`--timeout` is a duration from 1s to 1h, as `90s`')
  return ms
}

const skippedOf = (plan: Plan): readonly ScannedServer[] =>
  plan.skipped.map(({ subject, reason }) => ({ ...subject, target: '', state: 'skipped', reason }))

function reportOf(servers: readonly ScannedServer[], plan: Plan): Report {
  const members = servers.flatMap((server) =>
    server.state === 'scanned'
      ? [{ name: server.name, tools: server.tools, policies: plan.policiesOf(server.name) }]
      : [],
  )
  const view = viewStack(members)
  const originsOf = (name: string) => servers.find((s) => s.name === name)?.origins ?? []
  // Servers of different clients are never in front of one model.
  const isTogether = (a: readonly string[], b: readonly string[]): boolean =>
    a.length === 0 || b.length === 0 || a.some((origin) => b.includes(origin))
  const findings = view.findings.filter((f) => isTogether(originsOf(f.server), originsOf(f.other)))
  return { servers, stack: { ...view, findings } }
}

function rendered(
  report: Report,
  { format, plan, io, isFile }: { format: Format; plan: Plan; io: Io; isFile: boolean },
): string {
  switch (format) {
    case 'json':
      return `${printable.json(JSON.stringify(reportJson(report)))}\n`
    case 'sarif':
      return `${printable.json(JSON.stringify(reportSarif(report)))}\n`
    case 'html':
      return reportHtml(report, new Date(io.now()))
    case 'table':
      return reportTable(report, {
        paint: painter(!isFile && hasColour(io.stdout, io.env)),
        hasPolicies: plan.hasPolicies,
      })
    default:
      return format satisfies never
  }
}

function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new CommandError(`can not write ${file} (${code})`)
  }
}

/** One line that is written over and over, where a person watches. */
function progressOn(io: Io): Progress {
  if (io.stderr.isTTY !== true) return () => {}
  return (done, total, { name, state }) => {
    const line = `scanned ${done} of ${total}: ${printable.text(name)}${state === 'failed' ? ' failed' : ''}`
    io.stderr.write(`\r\x1b[K${line.slice(0, 78)}${done === total ? '\r\x1b[K' : ''}`)
  }
}

/** 1 when a finding is as bad as was said, or a server could not be looked at where that matters. */
function exitCode(report: Report, failOn: Severity | undefined): number {
  const failed = report.servers.filter(({ state }) => state === 'failed').length
  const scanned = report.servers.filter(({ state }) => state === 'scanned').length
  if (failed > 0 && (failOn !== undefined || scanned === 0)) return 1
  const worst = worstOf(report)
  if (failOn === undefined || worst === undefined) return 0
  return compareSeverities(worst, failOn) >= 0 ? 1 : 0
}
