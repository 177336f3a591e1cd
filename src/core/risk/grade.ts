import type { Category, Severity } from '../policy/model.ts'
import type { Finding } from './findings/finding.ts'

/** A server's mark, from what anyone can see of it. */
export type Mark = 'A' | 'B' | 'C' | 'D' | 'F'

/** What a grade is made from. */
export interface GradedServer {
  readonly categories: readonly Category[]
  readonly findings: readonly Finding[]
  /** How it is reached. A process on this machine is as safe as the machine. */
  readonly reach:
    | { readonly kind: 'process' }
    | { readonly kind: 'url'; readonly isPlain: boolean; readonly hasCredential: boolean }
  /** Whether its package is held to a version; undefined where there is no package. */
  readonly isPinned: boolean | undefined
  /** Tools that changed since a person accepted them; undefined where nobody keeps count. */
  readonly drifted: number | undefined
}

/** One step of the arithmetic: what was taken off, and why. */
export interface Deduction {
  readonly for: string
  readonly points: number
}

/** A mark with the arithmetic that leads to it. */
export interface Grade {
  readonly mark: Mark
  readonly score: number
  readonly deductions: readonly Deduction[]
}

/** Points that a server of nothing but tools of these categories loses. */
const MIX: readonly { readonly categories: readonly Category[]; readonly points: number }[] = [
  { categories: ['Write'], points: 5 },
  { categories: ['Execute'], points: 15 },
  { categories: ['Destructive', 'Financial'], points: 25 },
]
/** Points for each finding, and the most that all of one severity cost. */
const PER_FINDING: Record<Severity, { readonly each: number; readonly most: number }> = {
  Low: { each: 1, most: 8 },
  Medium: { each: 3, most: 18 },
  High: { each: 10, most: 40 },
  Critical: { each: 30, most: 60 },
}
const MANY_TOOLS = 40
const MARKS: readonly (readonly [from: number, mark: Mark])[] = [
  [90, 'A'],
  [80, 'B'],
  [70, 'C'],
  [55, 'D'],
  [0, 'F'],
]
/** What a critical finding leaves at most: such a server is not fit to be used. */
const WITH_CRITICAL = 30

/** The mark of a server: 100 less what its tools, findings, access, identity and drift cost. */
export function grade(server: GradedServer): Grade {
  const deductions = [
    ...mixOf(server.categories),
    ...findingsOf(server.findings),
    ...accessOf(server),
  ].filter(({ points }) => points > 0)
  const left = deductions.reduce((score, { points }) => score - points, 100)
  const isCritical = server.findings.some(({ severity }) => severity === 'Critical')
  const score = Math.max(0, Math.round(isCritical ? Math.min(left, WITH_CRITICAL) : left))
  const [, mark] = MARKS.find(([from]) => score >= from) ?? [0, 'F' as const]
  return { mark, score, deductions }
}

const rounded = (points: number): number => Math.round(points * 10) / 10

function mixOf(categories: readonly Category[]): readonly Deduction[] {
  const total = categories.length
  if (total === 0) return []
  const shares = MIX.map(({ categories: kinds, points }) => {
    const count = categories.filter((c) => kinds.includes(c)).length
    return {
      for: `${count} of ${total} tools ${kinds.join(' or ')}`,
      points: rounded((points * count) / total),
    }
  })
  return total > MANY_TOOLS ? [...shares, { for: `${total} tools at once`, points: 5 }] : shares
}

function findingsOf(findings: readonly Finding[]): readonly Deduction[] {
  return (Object.keys(PER_FINDING) as Severity[]).map((severity) => {
    const count = findings.filter((f) => f.severity === severity).length
    const { each, most } = PER_FINDING[severity]
    return {
      for: `${count} ${severity} finding${count === 1 ? '' : 's'}`,
      points: Math.min(count * each, most),
    }
  })
}

function accessOf({ reach, isPinned, drifted }: GradedServer): readonly Deduction[] {
  const found: Deduction[] = []
  if (reach.kind === 'url' && !reach.hasCredential)
    found.push({ for: 'lists its tools to anyone, without a credential', points: 15 })
  if (reach.kind === 'url' && reach.isPlain) found.push({ for: 'reached without TLS', points: 15 })
  if (isPinned === false) found.push({ for: 'its package is not held to a version', points: 5 })
  if (drifted !== undefined && drifted > 0)
    found.push({
      for: `${drifted} tools changed since they were accepted`,
      points: Math.min(10 + drifted, 25),
    })
  return found
}
