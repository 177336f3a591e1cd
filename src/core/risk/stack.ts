import { policyFacts } from '../mcp/tool.ts'
import type { Category, Policy, Severity } from '../policy/model.ts'
import { compareSeverities } from './findings/index.ts'
import { inspectStack, type StackFinding } from './findings/servers.ts'
import { precedence } from './model.ts'
import type { JudgedTool } from './recommend.ts'
import { type Combination, combinationsOf } from './toxic.ts'

/** A server with its tools, and the policies that its callers are held to. */
export interface StackMember {
  readonly name: string
  readonly tools: readonly JudgedTool[]
  readonly policies: readonly { readonly name: string; readonly policy: Policy }[]
}

/** What a policy does with a tool, as far as can be said without the arguments. */
export const coverages = ['hidden', 'denied', 'approval', 'arguments', 'limited', 'open'] as const
/** One of {@link coverages}. */
export type Coverage = (typeof coverages)[number]

/** One tool of a stack. */
export interface StackTool {
  readonly server: string
  readonly name: string
  readonly category: Category
  readonly severity: Severity
  /** What each policy of the server does with it. */
  readonly policies: readonly { readonly policy: string; readonly coverage: Coverage }[]
  /** True where no policy has an entry for it. */
  readonly isUncovered: boolean
}

/** Everything that can be called through a set of servers. */
export interface StackView {
  readonly byCategory: Readonly<Record<Category, number>>
  readonly bySeverity: Readonly<Record<Severity, number>>
  /** Worst first. */
  readonly tools: readonly StackTool[]
  readonly findings: readonly StackFinding[]
  readonly combinations: readonly Combination[]
  readonly coverage: readonly {
    readonly server: string
    readonly policy: string
    readonly counts: Readonly<Record<Coverage, number>>
  }[]
}

/** Puts the servers of a configuration together into one view. Pure. */
export function viewStack(members: readonly StackMember[]): StackView {
  const tools = members
    .flatMap((member) => member.tools.map((tool) => toolOf(member, tool)))
    .toSorted(
      (a, b) =>
        compareSeverities(b.severity, a.severity) ||
        precedence.indexOf(b.category) - precedence.indexOf(a.category) ||
        (`${a.server} ${a.name}` < `${b.server} ${b.name}` ? -1 : 1),
    )
  const count = (holds: (tool: StackTool) => boolean): number => tools.filter(holds).length
  return {
    byCategory: {
      Read: count((t) => t.category === 'Read'),
      Write: count((t) => t.category === 'Write'),
      Execute: count((t) => t.category === 'Execute'),
      Destructive: count((t) => t.category === 'Destructive'),
      Financial: count((t) => t.category === 'Financial'),
    },
    bySeverity: {
      Low: count((t) => t.severity === 'Low'),
      Medium: count((t) => t.severity === 'Medium'),
      High: count((t) => t.severity === 'High'),
      Critical: count((t) => t.severity === 'Critical'),
    },
    tools,
    findings: inspectStack(members.map(namesOf)),
    combinations: combinationsOf(members),
    coverage: members.flatMap(({ name, policies }) =>
      policies.map(({ name: policy }) => ({
        server: name,
        policy,
        counts: countsOf(
          tools.filter((t) => t.server === name),
          policy,
        ),
      })),
    ),
  }
}

const namesOf = ({ name, tools }: StackMember) => ({
  name,
  tools: tools.map((tool) => {
    const { description } = tool.definition
    return { name: tool.name, description: typeof description === 'string' ? description : '' }
  }),
})

function toolOf(member: StackMember, tool: JudgedTool): StackTool {
  const { category, severity } = tool.classification
  const judged = member.policies.map(({ name, policy }) => ({
    policy: name,
    ...coverageOf(policy, member.name, tool),
  }))
  return {
    server: member.name,
    name: tool.name,
    category,
    severity,
    policies: judged.map(({ policy, coverage }) => ({ policy, coverage })),
    isUncovered: judged.every(({ isListed }) => !isListed),
  }
}

function countsOf(tools: readonly StackTool[], policy: string): Readonly<Record<Coverage, number>> {
  const of = (coverage: Coverage): number =>
    tools.filter((t) => t.policies.some((p) => p.policy === policy && p.coverage === coverage))
      .length
  return {
    hidden: of('hidden'),
    denied: of('denied'),
    approval: of('approval'),
    arguments: of('arguments'),
    limited: of('limited'),
    open: of('open'),
  }
}

/** What the policy says of a call without arguments, read for what it would say of any. */
function coverageOf(
  policy: Policy,
  server: string,
  { name, definition, classification }: JudgedTool,
) {
  const { category, severity } = classification
  const tool = {
    server,
    name,
    isAdvertised: true,
    category,
    severity,
    ...policyFacts(definition as never),
  }
  const decision = policy.decide({
    subject: {
      grant: { id: 'scan', label: 'scan', tags: {} },
      session: undefined,
      client: { name: 'sallyport', version: '' },
    },
    tool,
    args: {},
    context: { at: 0, counters: new Map() },
  })
  const cover = (coverage: Coverage, isListed = true) => ({ coverage, isListed })
  switch (decision.effect) {
    case 'deny':
      if (decision.isHidden) return cover('hidden')
      if (decision.rule === '(default deny)') return cover('denied', false)
      // A rule that fired over nothing at all denies every call, unless it looks at the arguments.
      return /\/(?:require|deny_if)\//.test(decision.rule) ? cover('arguments') : cover('denied')
    case 'approve':
      return cover('approval')
    case 'allow':
      return cover(decision.limits.length > 0 ? 'limited' : 'open')
    default:
      return decision satisfies never
  }
}
