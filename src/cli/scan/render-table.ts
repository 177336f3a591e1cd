import type { Category, Severity } from '../../core/policy/model.ts'
import type { Finding } from '../../core/risk/findings/finding.ts'
import { compareSeverities } from '../../core/risk/findings/index.ts'
import { precedence } from '../../core/risk/model.ts'
import type { JudgedTool } from '../../core/risk/recommend.ts'
import { coverages } from '../../core/risk/stack.ts'
import type { Paint } from '../paint.ts'
import { printable } from '../printable.ts'
import type { Report, ScannedServer } from './report.ts'

const MAX_FINDINGS = 12
const MAX_UNCOVERED = 12
const NAME = 44

/** What is shown of a scan on a terminal. */
export interface TableOptions {
  readonly paint: Paint
  /** True where the servers have policies to compare with. */
  readonly hasPolicies: boolean
}

/** A scan for a person: each server with its tools, riskiest first, then what they make together. */
export function reportTable(report: Report, { paint, hasPolicies }: TableOptions): string {
  const parts = report.servers.map((server) => serverTable(server, paint))
  return [...parts, stackTable(report, paint, hasPolicies)].filter((part) => part !== '').join('\n')
}

const severityPaint = (paint: Paint): Record<Severity, (text: string) => string> => ({
  Critical: (text) => paint.bold(paint.red(text)),
  High: paint.red,
  Medium: paint.yellow,
  Low: paint.dim,
})

function serverTable(server: ScannedServer, paint: Paint): string {
  const origin =
    server.origins.length === 0 ? '' : paint.dim(` · ${printable.text(server.origins.join(', '))}`)
  const head = `${paint.bold(printable.text(server.name))}${origin}  ${paint.dim(printable.text(server.target))}\n`
  if (server.state !== 'scanned')
    return `${head}  ${paint.yellow(server.state === 'failed' ? 'not scanned' : 'skipped')}: ${printable.text(server.reason)}\n`
  const { grade, tools } = server
  const about = `${server.serverInfo.name} ${server.serverInfo.version}`.trim()
  const told = `  ${paint.dim(`${printable.text(about)} (MCP ${printable.text(server.protocol)})`)}\n  grade ${paintMark(grade.mark, paint)} (${grade.score})  ${plural(tools.length, 'tool')}  ${mixOf(tools)}\n`
  return [
    head,
    told,
    ...server.findings.map((f) => findingLine('', f, paint)),
    ...toolLines(tools, paint),
    ...findingLines(tools, paint),
    sumLine(server, paint),
    server.isWhole ? '' : `  ${paint.yellow('the server lists more tools than are read')}\n`,
  ].join('')
}

const paintMark = (mark: string, paint: Paint): string =>
  mark === 'A' || mark === 'B'
    ? paint.green(paint.bold(mark))
    : mark === 'C'
      ? paint.yellow(paint.bold(mark))
      : paint.red(paint.bold(mark))

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`

function mixOf(tools: readonly JudgedTool[]): string {
  const counts = precedence.map((category): [Category, number] => [
    category,
    tools.filter((tool) => tool.classification.category === category).length,
  ])
  return counts
    .filter(([, n]) => n > 0)
    .map(([category, n]) => `${n} ${category}`)
    .join(' · ')
}

function toolLines(tools: readonly JudgedTool[], paint: Paint): readonly string[] {
  const colours = severityPaint(paint)
  const width = Math.min(NAME, Math.max(0, ...tools.map(({ name }) => printable.text(name).length)))
  return tools
    .toSorted(
      (a, b) =>
        compareSeverities(b.classification.severity, a.classification.severity) ||
        precedence.indexOf(b.classification.category) -
          precedence.indexOf(a.classification.category),
    )
    .map(({ name, classification }) => {
      const { category, severity, evidence } = classification
      const why = evidence
        .slice(0, 3)
        .map(({ quote }) => `“${quote.replace(/\s+/g, ' ')}”`)
        .join(' ')
      return (
        `  ${colours[severity](severity.padEnd(8))}  ${category.padEnd(11)}  ${printable.text(name).slice(0, 80).padEnd(width)}  ${paint.dim(printable.text(why).slice(0, 90))}`.trimEnd() +
        '\n'
      )
    })
}

function findingLines(tools: readonly JudgedTool[], paint: Paint): readonly string[] {
  const all = tools
    .flatMap(({ name, findings }) => findings.map((finding) => ({ name, finding })))
    .toSorted((a, b) => compareSeverities(b.finding.severity, a.finding.severity))
  const lines = all
    .slice(0, MAX_FINDINGS)
    .map(({ name, finding }) => findingLine(name, finding, paint))
  if (all.length > MAX_FINDINGS)
    lines.push(paint.dim(`  … and ${all.length - MAX_FINDINGS} more findings (--json tells all)\n`))
  return lines
}

function findingLine(tool: string, finding: Finding, paint: Paint): string {
  const colour = severityPaint(paint)[finding.severity]
  const who = tool === '' ? 'the server' : printable.text(tool)
  const quote = finding.quote === '' ? '' : paint.dim(` “${printable.text(finding.quote)}”`)
  return `  ${colour('!')} ${colour(finding.severity)} ${finding.owasp}  ${who} ${finding.message}${quote}\n`
}

function sumLine(server: Extract<ScannedServer, { state: 'scanned' }>, paint: Paint): string {
  const steps = server.grade.deductions.map((d) => `−${d.points} ${d.for}`)
  return paint.dim(`  100 ${steps.join(' ')} = ${server.grade.score}\n`)
}

function stackTable({ servers, stack }: Report, paint: Paint, hasPolicies: boolean): string {
  const scanned = servers.filter(({ state }) => state === 'scanned').length
  if (scanned === 0) return ''
  const colours = severityPaint(paint)
  const lines = [
    `${paint.bold('All together')}  ${plural(scanned, 'server')} of ${servers.length}, ${plural(stack.tools.length, 'tool')}: ${mixFrom(stack.byCategory)}\n`,
    `  ${(['Critical', 'High', 'Medium', 'Low'] as const).map((s) => colours[s](`${stack.bySeverity[s]} ${s}`)).join(' · ')}\n`,
  ]
  for (const { severity, message, isAcross, parts } of stack.combinations) {
    lines.push(
      `  ${colours[severity]('!')} ${colours[severity](severity)}  ${message}${isAcross ? ' (across servers)' : ''}\n`,
    )
    for (const { part, count, tools } of parts)
      lines.push(
        `      ${part.replaceAll('_', ' ')}: ${printable.text(tools.join(', '))}${count > tools.length ? ` and ${count - tools.length} more` : ''}\n`,
      )
  }
  for (const finding of stack.findings.slice(0, MAX_FINDINGS))
    lines.push(
      findingLine(`${finding.server}/${finding.tool ?? ''} (${finding.other})`, finding, paint),
    )
  if (hasPolicies) lines.push(...coverageLines(stack, paint))
  return lines.join('')
}

const mixFrom = (counts: Readonly<Record<Category, number>>): string =>
  precedence
    .filter((category) => counts[category] > 0)
    .map((category) => `${counts[category]} ${category}`)
    .join(' · ')

function coverageLines({ coverage, tools }: Report['stack'], paint: Paint): readonly string[] {
  const lines = coverage.map(({ server, policy, counts }) => {
    const told = coverages.filter((c) => counts[c] > 0).map((c) => `${counts[c]} ${c}`)
    return `  ${printable.text(server)} under ${printable.text(policy)}: ${told.join(' · ')}\n`
  })
  const bare = tools.filter(({ isUncovered }) => isUncovered)
  if (bare.length > 0)
    lines.push(
      `  ${paint.yellow(`no policy has an entry for ${plural(bare.length, 'tool')}`)}: ${printable.text(
        bare
          .slice(0, MAX_UNCOVERED)
          .map((t) => `${t.server}/${t.name}`)
          .join(', '),
      )}${bare.length > MAX_UNCOVERED ? ' …' : ''} ${paint.dim('(they are denied)')}\n`,
    )
  const open = tools.filter(
    (t) =>
      compareSeverities(t.severity, 'High') >= 0 && t.policies.some((p) => p.coverage === 'open'),
  )
  if (open.length > 0)
    lines.push(
      `  ${paint.red(`${plural(open.length, 'grave tool')} open without limit, rule or approval`)}: ${printable.text(
        open
          .slice(0, MAX_UNCOVERED)
          .map((t) => `${t.server}/${t.name}`)
          .join(', '),
      )}\n`,
    )
  return lines
}
