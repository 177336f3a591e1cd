import { decideBy, refusalOf } from './decide.ts'
import type { EntryDocument, LimitDocument, PolicyDocument } from './document.ts'
import { conditionPaths } from './document-paths.ts'
import { compileItems } from './items.ts'
import { compileLimit } from './limit.ts'
import type { AccessRequest, Decision, Limit, Policy, Tool } from './model.ts'
import { parsePath } from './path.ts'
import { createPatterns, type Patterns } from './pattern.ts'
import { compilePlans, type Plan } from './plan.ts'

/** A policy with what `explain` needs of it. */
export interface CompiledPolicy extends Policy {
  readonly document: PolicyDocument
  planOf(tool: Tool): Plan
}

/** Compiles a valid document into closures; nothing is parsed when a call is decided. */
export function compilePolicy(
  document: PolicyDocument,
  patterns: Patterns = createPatterns(),
): CompiledPolicy {
  const mode = document.mode ?? 'enforce'
  const byDefault = document.default
  const plans = compilePlans(document, { patterns, timezone: document.timezone ?? 'UTC' }, mode)
  const items = {
    prompts: compileItems(document.prompts, 'prompts', mode),
    resources: compileItems(document.resources, 'resources', mode),
  }
  const limits = limitsByCounter(document)
  const reads = countersReadBy(document)
  return {
    document,
    pins: mode === 'enforce' && document.pin === true,
    strictArguments: document.strict_arguments ?? false,
    planOf: (tool) => plans.planOf(tool),
    decide: (request: AccessRequest): Decision =>
      decideBy(plans.planOf(request.tool), request, { default: byDefault, mode }),
    isHidden: (tool) =>
      mode === 'enforce' && refusalOf(plans.planOf(tool), byDefault, true) === 'hidden',
    needsAdvertising: (name) =>
      !plans.isNamed(name) && (byDefault === 'allow' || plans.mayMatch(name)),
    readsDefinitions: readsDefinitions(document),
    countersRead: () => reads,
    limitNamed: (counter) => limits.get(counter),
    decideItem: (kind, name) => items[kind].decide(name),
    isItemHidden: (kind, name) => items[kind].isHidden(name),
  }
}

const entriesOf = (document: PolicyDocument): readonly EntryDocument[] => [
  ...Object.values(document.tools ?? {}),
  ...Object.values(document.risk ?? {}),
  ...(document.all_tools === undefined ? [] : [document.all_tools]),
]

function limitsByCounter(document: PolicyDocument): ReadonlyMap<string, Limit> {
  const limits = new Map<string, Limit>()
  const documents: readonly LimitDocument[] = [
    ...entriesOf(document).flatMap((entry) => entry.limits ?? []),
    ...(document.prompts?.limits ?? []),
    ...(document.resources?.limits ?? []),
  ]
  for (const limit of documents)
    if (!limits.has(limit.counter)) {
      const { increment_from: _, ...fixed } = limit
      limits.set(limit.counter, compileLimit(fixed, '', 'enforce').limit)
    }
  return limits
}

/** Does anything look at the risk, the annotations or the schema of a tool? */
const readsDefinitions = (document: PolicyDocument): boolean =>
  document.pin === true ||
  document.strict_arguments === true ||
  Object.keys(document.risk ?? {}).length > 0 ||
  entriesOf(document)
    .flatMap(conditionPaths)
    .some((text) => {
      const path = parsePath(text)
      return !('segments' in path) || (path.root.startsWith('tool.') && path.root !== 'tool.name')
    })

/** Counters that any condition reads: few policies have one, so that they are not told by tool. */
function countersReadBy(document: PolicyDocument): readonly string[] {
  const counters = new Set<string>()
  for (const text of entriesOf(document).flatMap(conditionPaths)) {
    const path = parsePath(text)
    const first = 'segments' in path && path.root === 'limits' ? path.segments[0] : undefined
    if (first?.kind === 'key') counters.add(first.key)
  }
  return [...counters]
}
