import { ExactNumber } from '../../json/exact-number.ts'
import type { Json } from '../../json/json.ts'
import { toValue } from '../../json/parse.ts'
import type { ConditionDocument } from '../document.ts'
import { didYouMean } from '../nearest.ts'
import type { Patterns } from '../pattern.ts'
import { lookalikes } from './printed.ts'
import { type Place, placeAt, refuse, refuseUnknown, textOf } from './reader.ts'

const OPS = ['eq', 'neq', 'in', 'not_in', 'lt', 'lte', 'gt', 'gte', 'regex', 'contains', 'exists']

/** A condition of Intercept, read. */
export interface InterceptCondition {
  readonly place: Place
  readonly path: string
  readonly op: string
  readonly value: Json
}

/** Reads a condition; undefined when it is malformed. */
export function readCondition(place: Place): InterceptCondition | undefined {
  refuseUnknown(place, ['path', 'op', 'value'], 'a condition')
  const path = textOf(place, 'path') ?? ''
  const op = textOf(place, 'op') ?? ''
  const value = placeAt(place, 'value')
  if (!path.startsWith('args.') && !path.startsWith('state.')) {
    refuse(placeAt(place, 'path') ?? place, 'expected a path that starts with `args.` or `state.`')
    return undefined
  }
  if (!OPS.includes(op)) {
    refuse(
      placeAt(place, 'op') ?? place,
      `unknown operator \`${op.slice(0, 60)}\``,
      didYouMean(op, OPS),
    )
    return undefined
  }
  return { place, path, op, value: value === undefined ? null : toValue(value.node) }
}

/** A path of ours from steps that Intercept takes as plain keys. */
export const pathOf = (root: string, keys: readonly string[]): string =>
  root +
  keys.map((key) => (/^[^.[\]"]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('')

const isNumber = (value: Json): boolean => typeof value === 'number' || value instanceof ExactNumber

/**
 * A condition with the same truth in `require`: in Intercept whatever is missing fails (but under
 * `exists: false`), null is missing to `exists`, no string is a number under `lt` and its like,
 * and equality is by printed form.
 */
export function translate(
  condition: InterceptCondition,
  path: string,
  patterns: Patterns,
): readonly ConditionDocument[] {
  const { op, value, place } = condition
  const cannot = (message: string, hint?: string): readonly [] => {
    refuse(placeAt(place, 'value') ?? place, message, hint)
    return []
  }
  switch (op) {
    case 'exists':
      if (typeof value !== 'boolean') return cannot('`exists` needs `true` or `false`')
      return [
        value
          ? { path, op: 'neq', value: null, if_absent: false }
          : { path, op: 'eq', value: null, if_absent: true },
      ]
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      if (!isNumber(value)) return cannot(`\`${op}\` needs a number`)
      return [
        { path, op: 'type', value: 'number', if_absent: false },
        { path, op, value, if_absent: false },
      ]
    case 'regex': {
      if (typeof value !== 'string') return cannot('`regex` needs a text')
      const pattern = patterns.compile(value)
      if (typeof pattern === 'string') return cannot(`not an RE2 pattern: ${pattern}`)
      return [{ path, op, value, if_absent: false }]
    }
    case 'contains':
      return translateContains(value, path) ?? cannot(PRINTED, PRINTED_HINT)
    default:
      return translateEquality(condition, path) ?? cannot(PRINTED, PRINTED_HINT)
  }
}

const PRINTED = 'Intercept compares this value by its printed form, which can not be carried over'
const PRINTED_HINT = 'compare with a text, a number, true, false or null'

function translateContains(value: Json, path: string): readonly ConditionDocument[] | undefined {
  const same = lookalikes(value)
  if (same === undefined) return undefined
  const any = same.map(
    (item): ConditionDocument => ({ path, op: 'contains', value: item, if_absent: false }),
  )
  const inList: ConditionDocument = { path, op: 'type', value: 'array', if_absent: false }
  return typeof value === 'string' ? [{ any }] : [inList, { any }]
}

function translateEquality(
  { op, value, place }: InterceptCondition,
  path: string,
): readonly ConditionDocument[] | undefined {
  const isList = op === 'in' || op === 'not_in'
  if (isList && !Array.isArray(value)) {
    refuse(placeAt(place, 'value') ?? place, `\`${op}\` needs a list`)
    return []
  }
  const wanted: readonly Json[] = Array.isArray(value) && isList ? value : [value]
  const values: Json[] = []
  for (const item of wanted) {
    const same = lookalikes(item)
    if (same === undefined) return undefined
    values.push(...same)
  }
  const ours = op === 'eq' || op === 'in' ? 'in' : 'not_in'
  return [{ path, op: ours, value: values, if_absent: false }]
}
