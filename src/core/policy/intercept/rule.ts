import { ExactNumber } from '../../json/exact-number.ts'
import type { Json } from '../../json/json.ts'
import type { ConditionDocument, LimitDocument, RuleDocument } from '../document.ts'
import { parsePath } from '../path.ts'
import type { Patterns } from '../pattern.ts'
import { type InterceptCondition, pathOf, readCondition, translate } from './condition.ts'
import {
  elementsOf,
  type Place,
  placeAt,
  refuse,
  refuseUnknown,
  scalarAt,
  textOf,
} from './reader.ts'

/** What importing rules depends on. */
export interface RuleContext {
  readonly patterns: Patterns
  /** The tool's name, or `_global` for `*`. */
  readonly scope: string
  /** Names of ours of the counters that have a limit. */
  readonly counted: ReadonlySet<string>
}

/** What one rule of Intercept becomes. */
export interface ImportedRule {
  readonly require?: RuleDocument
  readonly deny?: RuleDocument
  readonly limit?: LimitDocument
}

const WINDOWS = ['minute', 'hour', 'day']
const RULE_KEYS = ['name', 'action', 'rate_limit', 'conditions', 'on_deny', 'state']

/** Our name of a counter of Intercept: its scope is a part of it. */
export const counterName = (scope: string, counter: string): string => `${scope}.${counter}`

/** Imports one rule; what can't be carried over is a problem. */
export function importRule(place: Place, context: RuleContext): ImportedRule {
  refuseUnknown(place, RULE_KEYS, 'a rule')
  const name = textOf(place, 'name')
  if (name === undefined || name === '') refuse(place, 'the rule has no `name`', 'add `name`')
  const about = {
    ...(name === undefined ? {} : { name: name.slice(0, 128) }),
    ...onDeny(textOf(place, 'on_deny')),
  }
  const action = textOf(place, 'action') ?? 'evaluate'
  const conditions = elementsOf(placeAt(place, 'conditions'), 'conditions')
  const state = placeAt(place, 'state')
  if (placeAt(place, 'rate_limit') !== undefined) {
    if (conditions.length > 0 || state !== undefined || action === 'deny')
      refuse(place, '`rate_limit` can not stand beside `conditions`, `state` or `action: deny`')
    return importRate(place, context, about.on_deny)
  }
  if (action === 'deny') {
    if (conditions.length > 0) refuse(place, 'a rule that denies can not have conditions')
    if (state !== undefined) refuse(state, 'a rule that denies can not count')
    return { deny: { ...about, conditions: [] } }
  }
  if (action !== 'evaluate')
    refuse(placeAt(place, 'action') ?? place, 'expected `evaluate` or `deny`')
  if (conditions.length === 0)
    refuse(place, 'the rule has no conditions', 'add a condition, or write `action: deny`')
  const read = conditions.flatMap((c) => readCondition(c) ?? [])
  const limit = state === undefined ? undefined : importState(state, read, context)
  const rest = read.filter((c) => c !== limit?.from)
  const translated = rest.flatMap((c) => importCondition(c, context))
  return {
    ...(translated.length === 0 ? {} : { require: { ...about, conditions: translated } }),
    ...(limit === undefined ? {} : { limit: { ...limit.document, ...onDeny(about.on_deny) } }),
  }
}

const onDeny = (message: string | undefined): { on_deny?: string } =>
  message === undefined || message === '' ? {} : { on_deny: message.slice(0, 2000) }

function importCondition(
  condition: InterceptCondition,
  context: RuleContext,
): readonly ConditionDocument[] {
  const { path, place } = condition
  if (path.startsWith('args.'))
    return translate(condition, pathOf('args', path.slice(5).split('.')), context.patterns)
  const counter = path.slice('state.'.length)
  if (!context.counted.has(counter)) {
    refuse(
      placeAt(place, 'path') ?? place,
      `no rule counts \`${counter.slice(0, 120)}\``,
      'Intercept counts only what a rule with that `state` holds under by `lt` or `lte`',
    )
    return []
  }
  return translate(condition, pathOf('limits', [counter]), context.patterns)
}

/** The counter that a rule counts, or undefined; Intercept counts only what the rule itself limits. */
export function countedBy(place: Place, scope: string): string | undefined {
  const rate = textOf(quiet(place), 'rate_limit')
  if (rate !== undefined) return counterName(scope, `_rate_${rate.split('/')[1] ?? ''}`)
  const state = placeAt(quiet(place), 'state')
  const counter = state === undefined ? undefined : textOf(state, 'counter')
  if (counter === undefined) return undefined
  const path = `state.${scope}.${counter}`
  const holds = elementsOf(placeAt(quiet(place), 'conditions'), 'conditions').some(
    (c) => textOf(c, 'path') === path && ['lt', 'lte'].includes(textOf(c, 'op') ?? ''),
  )
  return holds ? counterName(scope, counter) : undefined
}

/** The same place, looked at before it is judged. */
const quiet = (place: Place): Place => ({ ...place, report: () => undefined })

function importState(
  place: Place,
  conditions: readonly InterceptCondition[],
  { scope }: RuleContext,
): { readonly document: LimitDocument; readonly from: InterceptCondition } | undefined {
  refuseUnknown(place, ['counter', 'window', 'increment', 'increment_from'], '`state`')
  const counter = textOf(place, 'counter') ?? ''
  const window = textOf(place, 'window') ?? ''
  if (counter === '') refuse(place, '`state` has no `counter`', 'add `counter`')
  if (!WINDOWS.includes(window))
    refuse(placeAt(place, 'window') ?? place, 'expected `minute`, `hour` or `day`')
  const path = `state.${scope}.${counter}`
  const from = conditions.find(
    (c) => c.path === path && (c.op === 'lt' || c.op === 'lte') && typeof c.value === 'number',
  )
  if (from === undefined) {
    refuse(
      place,
      `nothing limits \`${path.slice(0, 120)}\`, so that Intercept never counts it`,
      'add a condition on it with `lt` or `lte`, or remove `state`',
    )
    return undefined
  }
  const bound = Math.trunc(Number(from.value)) - (from.op === 'lt' ? 1 : 0)
  const name = counterName(scope, counter)
  if (name.length > 128 || name.startsWith('('))
    refuse(place, 'the name of the counter can not be carried over', 'choose a shorter one')
  return {
    from,
    document: { counter: name, window, max: Math.max(0, bound), ...incrementOf(place) },
  }
}

function incrementOf(place: Place): Pick<LimitDocument, 'increment' | 'increment_from'> {
  const from = textOf(place, 'increment_from')
  if (from !== undefined && from !== '') {
    const path = pathOf('args', from.slice('args.'.length).split('.'))
    if (!from.startsWith('args.') || 'message' in parsePath(path))
      refuse(placeAt(place, 'increment_from') ?? place, 'expected a path that starts with `args.`')
    return { increment_from: path }
  }
  const at = placeAt(place, 'increment')
  const value: Json | undefined = at === undefined ? 0 : scalarAt(at)
  if (at !== undefined && !isCount(value)) refuse(at, 'expected a whole number, not negative')
  return isCount(value) && value !== 0 ? { increment: value } : {}
}

const isCount = (value: Json | undefined): value is number =>
  !(value instanceof ExactNumber) && Number.isSafeInteger(value) && Number(value) >= 0

function importRate(
  place: Place,
  { scope }: RuleContext,
  message: string | undefined,
): ImportedRule {
  const m = /^\+?0*([1-9]\d{0,11})\/(minute|hour|day)$/.exec(textOf(place, 'rate_limit') ?? '')
  if (m === null) {
    refuse(
      placeAt(place, 'rate_limit') ?? place,
      'expected a count and a window',
      'write `5/hour`; windows are `minute`, `hour` and `day`',
    )
    return {}
  }
  const [, count = '', window = ''] = m
  return {
    limit: {
      counter: counterName(scope, `_rate_${window}`),
      window,
      max: Number(count),
      on_deny: message ?? `rate limit of ${count} per ${window} reached; try again later`,
    },
  }
}
