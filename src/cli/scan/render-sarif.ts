import type { Severity } from '../../core/policy/model.ts'
import { attacks, owasp } from '../../core/risk/attacks.ts'
import type { Finding } from '../../core/risk/findings/finding.ts'
import { checks } from '../../core/risk/findings/index.ts'
import { reachChecks } from '../../core/risk/findings/reach.ts'
import { stackChecks } from '../../core/risk/findings/servers.ts'
import { packageVersion } from '../version.ts'
import type { Report } from './report.ts'

const levels: Record<Severity, 'error' | 'warning' | 'note'> = {
  Critical: 'error',
  High: 'error',
  Medium: 'warning',
  Low: 'note',
}
/** What code scanning sorts by. */
const scores: Record<Severity, string> = { Critical: '9.5', High: '8.0', Medium: '5.5', Low: '2.0' }

interface Result {
  readonly finding: Pick<Finding, 'id' | 'severity' | 'message' | 'quote' | 'at'>
  readonly server: string
  readonly tool: string | undefined
  readonly file: string | undefined
}

/** A scan as SARIF 2.1.0, for code scanning: a result for each finding. */
export function reportSarif(report: Report) {
  const table = { ...checks, ...reachChecks, ...stackChecks }
  const rules = [
    ...Object.entries(table).map(([id, check]) => ({
      id,
      shortDescription: { text: check.message },
      help: {
        text: check.attacks.map((a) => `${attacks[a].name}: ${attacks[a].stoppedBy}`).join('\n'),
      },
      properties: {
        tags: ['security', 'mcp', `${check.owasp} ${owasp[check.owasp]}`],
        'security-severity': scores[check.severity],
      },
    })),
    ...(['lethal_trifecta', 'injected_action'] as const).map((id) => ({
      id,
      shortDescription: { text: 'tools that are dangerous together' },
      properties: { tags: ['security', 'mcp'] },
    })),
  ]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'sallyport scan',
            version: packageVersion(),
            informationUri: 'https://sallyport.dev',
            rules,
          },
        },
        results: resultsOf(report).map((result) => ({
          ruleId: result.finding.id,
          level: levels[result.finding.severity],
          message: { text: messageOf(result) },
          locations: [locationOf(result)],
          partialFingerprints: {
            sallyportFinding: JSON.stringify([
              result.finding.id,
              result.server,
              result.tool ?? '',
              result.finding.at,
            ]),
          },
        })),
      },
    ],
  }
}

function resultsOf({ servers, stack }: Report): readonly Result[] {
  const results: Result[] = []
  for (const server of servers) {
    if (server.state !== 'scanned') continue
    const { name, file } = server
    for (const finding of server.findings)
      results.push({ finding, server: name, tool: undefined, file })
    for (const tool of server.tools)
      for (const finding of tool.findings)
        results.push({ finding, server: name, tool: tool.name, file })
  }
  const fileOf = (name: string) => servers.find((s) => s.name === name)?.file
  for (const finding of stack.findings)
    results.push({
      finding,
      server: finding.server,
      tool: finding.tool,
      file: fileOf(finding.server),
    })
  for (const { id, severity, message, parts } of stack.combinations)
    results.push({
      finding: { id, severity, message, quote: parts.flatMap((p) => p.tools).join(', '), at: '' },
      server: 'all servers',
      tool: undefined,
      file: undefined,
    })
  return results
}

const messageOf = ({ finding, server, tool }: Result): string =>
  `${tool === undefined ? server : `${server}/${tool}`} ${finding.message}${finding.quote === '' ? '' : `: ${finding.quote}`}`

function locationOf({ server, tool, file, finding }: Result) {
  const name = [server, tool, finding.at]
    .filter((part) => part !== undefined && part !== '')
    .join('/')
  return {
    logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }],
    ...(file === undefined
      ? {}
      : {
          physicalLocation: {
            artifactLocation: {
              uri: file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/'),
            },
            region: { startLine: 1 },
          },
        }),
  }
}
