import type { JsonObject } from '../../core/json/json.ts'
import type { Severity } from '../../core/policy/model.ts'
import type { Finding } from '../../core/risk/findings/finding.ts'
import { compareSeverities, inspectServer } from '../../core/risk/findings/index.ts'
import { inspectReach, isPinned, type Reach } from '../../core/risk/findings/reach.ts'
import { type Grade, grade } from '../../core/risk/grade.ts'
import { judgeTool } from '../../core/risk/judge.ts'
import type { JudgedTool } from '../../core/risk/recommend.ts'
import type { StackView } from '../../core/risk/stack.ts'
import type { ServerTarget } from '../../core/snapshot.ts'
import type { Listing } from './list-server.ts'
import { shownTarget } from './shown-target.ts'

/** A server to scan. */
export interface Subject {
  readonly name: string
  /** Who is configured with it, as `Cursor`; none for one that was named on the command line. */
  readonly origins: readonly string[]
  /** The file that says so. */
  readonly file: string | undefined
  readonly target: ServerTarget
}

/** What a scan found of one server. */
export type ScannedServer = {
  readonly name: string
  readonly origins: readonly string[]
  readonly file: string | undefined
  /** How it is reached, without any secret. */
  readonly target: string
} & (
  | {
      readonly state: 'scanned'
      readonly serverInfo: { readonly name: string; readonly version: string }
      readonly protocol: string
      readonly isWhole: boolean
      readonly tools: readonly JudgedTool[]
      /** Of the server itself: its instructions, and the way to it. */
      readonly findings: readonly Finding[]
      readonly grade: Grade
    }
  | { readonly state: 'failed' | 'skipped'; readonly reason: string }
)

/** A whole scan. */
export interface Report {
  readonly servers: readonly ScannedServer[]
  readonly stack: StackView
}

const reachOf = (target: ServerTarget): Reach =>
  target.kind === 'http'
    ? { kind: 'url', url: target.url, headerNames: Object.keys(target.headers) }
    : { kind: 'process', command: target.command, args: target.args }

/** What is made of a server's own answer. */
export function judgeServer(subject: Subject, listing: Listing): ScannedServer {
  const context = {
    name: listing.name === '' ? subject.name : listing.name,
    description: [listing.title, listing.instructions].filter((text) => text !== '').join('\n'),
  }
  const tools = listing.tools.map((definition: JsonObject) => judgeTool(definition, context))
  const reach = reachOf(subject.target)
  const findings = [...inspectServer(context), ...inspectReach(reach)].toSorted((a, b) =>
    compareSeverities(b.severity, a.severity),
  )
  const access = inspectReach(reach).map(({ id }) => id)
  return {
    ...identityOf(subject),
    state: 'scanned',
    serverInfo: { name: listing.name, version: listing.version },
    protocol: listing.protocol,
    isWhole: listing.isWhole,
    tools,
    findings,
    grade: grade({
      categories: tools.map(({ classification }) => classification.category),
      // The way to a server is graded by what it is, not once more as a finding.
      findings: [...inspectServer(context), ...tools.flatMap((tool) => tool.findings)],
      reach:
        reach.kind === 'process'
          ? { kind: 'process' }
          : {
              kind: 'url',
              isPlain: access.includes('unencrypted'),
              hasCredential: !access.includes('no_credential'),
            },
      isPinned: isPinned(reach),
      drifted: undefined,
    }),
  }
}

/** The parts of a scanned server that are known before it answers. */
export const identityOf = (subject: Subject) => ({
  name: subject.name,
  origins: subject.origins,
  file: subject.file,
  target: shownTarget(subject.target),
})

/** The worst severity of any finding of a scan; undefined where there is none. */
export function worstOf(report: Report): Severity | undefined {
  const all = [
    ...report.servers.flatMap((server) =>
      server.state === 'scanned'
        ? [...server.findings, ...server.tools.flatMap((tool) => tool.findings)]
        : [],
    ),
    ...report.stack.findings,
    ...report.stack.combinations,
  ].map(({ severity }) => severity)
  return all.toSorted((a, b) => compareSeverities(b, a))[0]
}
