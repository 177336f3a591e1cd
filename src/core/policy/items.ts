import { DEFAULT_DENY, hiddenDecision } from './decide.ts'
import type { ItemsDocument } from './document.ts'
import { DEFAULT_EXPIRES_MS } from './entry.ts'
import { compileLimit, drawOn } from './limit.ts'
import type { ApprovalNeed, Decision, ItemKind, LimitUse, Mode } from './model.ts'
import { compileNames } from './plan.ts'
import { below } from './pointer.ts'
import { canonicalPattern, readUri } from './uri.ts'
import { scopeOf } from './walk.ts'

/** The compiled rules of prompts, or of resources. */
export interface Items {
  decide(name: string): Decision
  isHidden(name: string): boolean
}

const nouns: Readonly<Record<ItemKind, string>> = { prompts: 'prompt', resources: 'resource' }

/** No limit of an item reads the call, so that any request will do. */
const nobody = scopeOf({
  subject: {
    grant: { id: '', label: '', tags: {} },
    session: undefined,
    client: { name: '', version: '' },
  },
  tool: {
    server: '',
    name: '',
    isAdvertised: false,
    category: 'Read',
    severity: 'Low',
    annotations: {},
    properties: {},
  },
  args: {},
  context: { at: 0, counters: new Map() },
})

/** Names in parentheses: a rule that stands nowhere in the document. */
const AMBIGUOUS = '(ambiguous)'
/** Longer names than any prompt has are matched by no glob, so they are judged by none. */
const MAX_NAME = 1024
/** No name or URI that is judged is longer. */
const MAX_LENGTH = 16_384

/** What a name is compared as: what `allow` must name, and what none of `hide` and `deny` may. */
interface Readings {
  readonly canonical: string
  readonly all: readonly string[]
}

/** What is told from an allow: a refusal, a wish for a person, or the limits to draw on. */
type Judged =
  | Extract<Decision, { effect: 'deny' }>
  | { readonly effect: 'approve'; readonly rule: string; readonly limits: readonly LimitUse[] }
  | { readonly effect: 'allow'; readonly limits: readonly LimitUse[] }

/** Compiles the rules of one kind: hide beats deny beats approve beats allow beats the default. */
export function compileItems(
  document: ItemsDocument | undefined,
  kind: ItemKind,
  mode: Mode,
): Items {
  if (document === undefined) return NO_RULES
  const base = `/${kind}`
  const noun = nouns[kind]
  const read = kind === 'prompts' ? readName : readUri
  const names = (list: readonly string[] | undefined): readonly string[] =>
    kind === 'prompts' ? (list ?? []) : (list ?? []).map(canonicalPattern)
  const byDefault = document.default ?? 'allow'
  const hides = compileNames(names(document.hide), MAX_LENGTH)
  const denies = indexed(names(document.deny))
  const approves = indexed(names(document.approve))
  const allows = compileNames(names(document.allow), MAX_LENGTH)
  const limits = (document.limits ?? []).map((limit, i) =>
    compileLimit(limit, below(`${base}/limits`, i), mode),
  )
  const isListed = ({ canonical }: Readings): boolean =>
    allows(canonical) || approves([canonical]) !== undefined
  const isHiddenAs = (readings: Readings): boolean =>
    readings.all.some(hides) ||
    (byDefault === 'hide' && !isListed(readings) && denies(readings.all) === undefined)
  const judge = (name: string): Judged => {
    const readings = read(name)
    if (readings === undefined)
      return deny(
        AMBIGUOUS,
        `a ${noun} is not asked for like this: it can be read in more than one way`,
      )
    if (isHiddenAs(readings)) return hiddenDecision(name, noun)
    const denied = denies(readings.all)
    if (denied !== undefined)
      return deny(below(`${base}/deny`, denied), `the policy denies this ${noun}`)
    const approved = approves(readings.all)
    if (byDefault === 'deny' && approved === undefined && !isListed(readings))
      return deny(DEFAULT_DENY, `the policy does not list this ${noun} and denies by default`)
    const drawn = drawOn(limits, nobody)
    if (!drawn.ok) return deny(drawn.pointer, drawn.message)
    return approved === undefined
      ? { effect: 'allow', limits: drawn.uses }
      : { effect: 'approve', rule: below(`${base}/approve`, approved), limits: drawn.uses }
  }
  const message = `this ${noun} needs the approval of a person`
  return {
    isHidden(name) {
      const readings = read(name)
      return mode === 'enforce' && (readings === undefined || isHiddenAs(readings))
    },
    decide(name) {
      const judged = judge(name)
      if (judged.effect === 'allow') return allow(judged.limits)
      if (mode === 'observe') {
        const { effect, rule } = judged
        return {
          ...allow([]),
          observed: { effect, rule, message: judged.effect === 'deny' ? judged.message : message },
        }
      }
      if (judged.effect === 'deny') return judged
      const need: ApprovalNeed = {
        message,
        expiresMs: DEFAULT_EXPIRES_MS,
        approvals: 1,
        rememberMs: 0,
      }
      return { ...judged, message, need, observed: undefined }
    },
  }
}

const allow = (limits: readonly LimitUse[]): Extract<Decision, { effect: 'allow' }> => ({
  effect: 'allow',
  rule: '',
  message: '',
  limits,
  observed: undefined,
})

/** Without rules everything is relayed, on record. */
const NO_RULES: Items = { decide: () => allow([]), isHidden: () => false }

/** Names are compared as exact code points. */
const readName = (name: string): Readings | undefined =>
  name.length <= MAX_NAME ? { canonical: name, all: [name] } : undefined

const deny = (rule: string, message: string): Extract<Decision, { effect: 'deny' }> => ({
  effect: 'deny',
  rule,
  message,
  isHidden: false,
})

/** The index of the first name or glob that matches one of some readings. */
function indexed(names: readonly string[]): (readings: readonly string[]) => number | undefined {
  const tests = names.map((name) => compileNames([name], MAX_LENGTH))
  return (readings) => {
    const i = tests.findIndex((test) => readings.some(test))
    return i === -1 ? undefined : i
  }
}
