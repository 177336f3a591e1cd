import type { EntryDocument, PolicyDocument } from './document.ts'
import { compileEntry, type Entry, type EntryContext } from './entry.ts'
import { compileGlob, type Glob, isGlob } from './glob.ts'
import type { Mode, Tool } from './model.ts'
import { below } from './pointer.ts'

/** Why an entry matches a tool. */
export type MatchReason = 'name' | 'glob' | 'category' | 'severity' | 'all tools'

/** An entry that applies to a tool. */
export interface Match {
  readonly entry: Entry
  readonly reason: MatchReason
  /** The key of the entry in the policy. */
  readonly key: string
}

/** Everything that a policy says of one tool: merged once, then kept. */
export interface Plan {
  readonly matches: readonly Match[]
  readonly enforced: readonly Entry[]
  readonly observed: readonly Entry[]
  /** True when an entry (other than `all_tools`) speaks for the tool. */
  readonly isListed: boolean
  /** True when `tools` has the tool's exact name. */
  readonly isNamed: boolean
  /** True when `hide` leaves it out. */
  readonly isHidden: boolean
  /** True for a name that only an exact entry can allow, and none does. */
  readonly isStrange: boolean
}

/** Finds the plan of a tool. */
export interface Plans {
  planOf(tool: Pick<Tool, 'name' | 'category' | 'severity'>): Plan
  /** True when `tools` has the exact name. */
  isNamed(name: string): boolean
  /** True when a glob of `tools` matches the name, or a risk entry might. */
  mayMatch(name: string): boolean
}

/** A plan with what it was made for, besides the name. */
type KeptPlan = Plan & Pick<Tool, 'category' | 'severity'>

/** Names that can be allowed by a glob, a risk or the default. */
const ORDINARY = /^[A-Za-z0-9_.-]{1,128}$/
/** Longer names than any tool has are not worth a glob's time. */
const MAX_GLOBBED = 1024
/** Plans kept per generation: two generations at most are in memory. */
const GENERATION = 2048

interface Globbed<T> {
  readonly key: string
  readonly matches: Glob
  readonly value: T
}

/** Names and globs, told apart once; a name that is longer than `longest` matches no glob. */
export function compileNames(
  names: readonly string[],
  longest = MAX_GLOBBED,
): (name: string) => boolean {
  const exact = new Set(names.filter((name) => !isGlob(name)))
  const globs = names.filter(isGlob).map(compileGlob)
  return (name) => exact.has(name) || (name.length <= longest && globs.some((glob) => glob(name)))
}

/** Compiles a document's entries and indexes them. */
export function compilePlans(document: PolicyDocument, context: EntryContext, mode: Mode): Plans {
  const compileAt = (entry: EntryDocument, pointer: string): Entry =>
    compileEntry(mode === 'observe' ? { ...entry, mode } : entry, pointer, context)
  // Compiled when a call names them: most tools of a large policy are never called.
  const exact = new Map<string, EntryDocument>()
  const globs: Globbed<Match>[] = []
  for (const [key, entry] of Object.entries(document.tools ?? {})) {
    if (isGlob(key)) {
      const compiled = compileAt(entry, below('/tools', key))
      const match: Match = { entry: compiled, reason: 'glob', key }
      globs.push({ key, matches: compileGlob(key), value: match })
    } else exact.set(key, entry)
  }
  const risks = new Map<string, Entry>()
  for (const [key, entry] of Object.entries(document.risk ?? {}))
    risks.set(key, compileAt(entry, below('/risk', key)))
  const all =
    document.all_tools === undefined ? undefined : compileAt(document.all_tools, '/all_tools')
  const hides = compileNames(document.hide ?? [])

  const build = ({ name, category, severity }: Parameters<Plans['planOf']>[0]): Plan => {
    const named = exact.get(name)
    const matches: Match[] = []
    if (named !== undefined)
      matches.push({ entry: compileAt(named, below('/tools', name)), reason: 'name', key: name })
    if (named !== undefined || name.length <= MAX_GLOBBED)
      for (const glob of globs) if (glob.matches(name)) matches.push(glob.value)
    const byCategory = risks.get(category)
    if (byCategory !== undefined)
      matches.push({ entry: byCategory, reason: 'category', key: category })
    const bySeverity = risks.get(severity)
    if (bySeverity !== undefined)
      matches.push({ entry: bySeverity, reason: 'severity', key: severity })
    const isListed = matches.length > 0
    if (all !== undefined) matches.push({ entry: all, reason: 'all tools', key: 'all_tools' })
    const entries = matches.map((match) => match.entry)
    return {
      matches,
      enforced: entries.filter((entry) => entry.mode === 'enforce'),
      observed: entries.filter((entry) => entry.mode === 'observe'),
      isListed,
      isNamed: named !== undefined,
      isHidden: hides(name),
      isStrange: named === undefined && !ORDINARY.test(name),
    }
  }

  // INVARIANT: one plan for each name of the policy, so that its size is the bound.
  const named = new Map<string, KeptPlan>()
  // Plans of all other names, in two generations: the older one is dropped when the recent is full.
  let recent = new Map<string, KeptPlan>()
  let older = new Map<string, KeptPlan>()
  const keep = (tool: Parameters<Plans['planOf']>[0], plan: KeptPlan): KeptPlan => {
    if (plan.isNamed) named.set(tool.name, plan)
    else {
      if (recent.size >= GENERATION) {
        older = recent
        recent = new Map()
      }
      recent.set(tool.name, plan)
    }
    return plan
  }
  return {
    planOf(tool) {
      const { name, category, severity } = tool
      const known = named.get(name) ?? recent.get(name)
      if (known?.category === category && known.severity === severity) return known
      const old = known === undefined ? older.get(name) : undefined
      if (old?.category === category && old.severity === severity) return keep(tool, old)
      const plan: KeptPlan = { ...build(tool), category, severity }
      // A name that nobody can have must not fill the memory.
      return plan.isStrange ? plan : keep(tool, plan)
    },
    isNamed: (name) => exact.has(name),
    mayMatch: (name) => risks.size > 0 || globs.some((glob) => glob.matches(name)),
  }
}
