import { DEFAULT_DENY, hiddenDecision } from './decide.ts'
import type { ItemsDocument } from './document.ts'
import { compileLimit, drawOn } from './limit.ts'
import type { Decision, ItemKind, LimitUse, Mode } from './model.ts'
import { compileNames } from './plan.ts'
import { below } from './pointer.ts'
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

/** Compiles the rules of one kind: hide beats deny beats allow beats the default. */
export function compileItems(
  document: ItemsDocument | undefined,
  kind: ItemKind,
  mode: Mode,
): Items {
  const base = `/${kind}`
  const byDefault = document?.default ?? 'allow'
  const hides = compileNames(document?.hide ?? [])
  const denies = indexed(document?.deny ?? [])
  const allows = compileNames(document?.allow ?? [])
  const limits = (document?.limits ?? []).map((limit, i) =>
    compileLimit(limit, below(`${base}/limits`, i), mode),
  )
  const isHidden = (name: string): boolean =>
    hides(name) || (byDefault === 'hide' && !allows(name) && denies(name) === undefined)
  const judge = (name: string): Extract<Decision, { effect: 'deny' }> | readonly LimitUse[] => {
    if (isHidden(name)) return hiddenDecision(name, nouns[kind])
    const denied = denies(name)
    if (denied !== undefined)
      return deny(below(`${base}/deny`, denied), `the policy denies this ${nouns[kind]}`)
    if (byDefault === 'deny' && !allows(name))
      return deny(
        DEFAULT_DENY,
        `the policy does not list this ${nouns[kind]} and denies by default`,
      )
    const drawn = drawOn(limits, nobody)
    return drawn.ok ? drawn.uses : deny(drawn.pointer, drawn.message)
  }
  return {
    isHidden: (name) => mode === 'enforce' && isHidden(name),
    decide(name) {
      const judged = judge(name)
      if (!('effect' in judged))
        return { effect: 'allow', rule: '', message: '', limits: judged, observed: undefined }
      if (mode === 'enforce') return judged
      const { effect, rule, message } = judged
      const observed = { effect, rule, message }
      return { effect: 'allow', rule: '', message: '', limits: [], observed }
    },
  }
}

const deny = (rule: string, message: string): Extract<Decision, { effect: 'deny' }> => ({
  effect: 'deny',
  rule,
  message,
  isHidden: false,
})

/** The index of the first name or glob that matches. */
function indexed(names: readonly string[]): (name: string) => number | undefined {
  const tests = names.map((name) => compileNames([name]))
  return (name) => {
    const i = tests.findIndex((test) => test(name))
    return i === -1 ? undefined : i
  }
}
