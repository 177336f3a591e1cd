/**
 * A second reading of the specification for tests: no closures, no index, no short cuts. It knows
 * what the laws generate: one tool `t`, and arguments one level deep.
 */
import type { Json, JsonObject } from '../../../src/core/json/json.ts'
import type { ConditionDocument, EntryDocument, PolicyDocument } from '../../../src/core/policy/document.ts'

type Kind = 'require' | 'deny_if' | 'approve_if'
type Value = 'T' | 'F' | 'I'

const ORDERINGS = ['lt', 'lte', 'gt', 'gte']

/** The effect on a call of the tool `t` with these arguments. */
export function decideByReference(
  policy: PolicyDocument,
  args: JsonObject,
): 'allow' | 'deny' | 'approve' {
  const entries: EntryDocument[] = [
    ...Object.values(policy.tools ?? {}),
    ...(policy.all_tools === undefined ? [] : [policy.all_tools]),
  ]
  const ruleValues = (kind: Kind): Value[] =>
    entries.flatMap((entry) =>
      (entry[kind] ?? []).map((rule) =>
        all(rule.conditions.map((condition) => judgeNaively(condition, args, kind, false))),
      ),
    )
  if (ruleValues('require').some((value) => value !== 'T')) return 'deny'
  if (ruleValues('deny_if').some((value) => value !== 'F')) return 'deny'
  if (ruleValues('approve_if').includes('I')) return 'deny'
  return ruleValues('approve_if').includes('T') ? 'approve' : 'allow'
}

const all = (values: Value[]): Value =>
  values.includes('F') ? 'F' : values.includes('I') ? 'I' : 'T'
const any = (values: Value[]): Value =>
  values.includes('T') ? 'T' : values.includes('I') ? 'I' : 'F'
const yes = (holds: boolean): Value => (holds ? 'T' : 'F')

function judgeNaively(
  condition: ConditionDocument,
  args: JsonObject,
  kind: Kind,
  isNegated: boolean,
): Value {
  if ('all' in condition)
    return all(condition.all.map((c) => judgeNaively(c, args, kind, isNegated)))
  if ('any' in condition)
    return any(condition.any.map((c) => judgeNaively(c, args, kind, isNegated)))
  if ('not' in condition) {
    const inner = judgeNaively(condition.not, args, kind, !isNegated)
    return inner === 'I' ? 'I' : yes(inner === 'F')
  }
  const key = condition.path.slice('args.'.length)
  if (Object.hasOwn(args, key)) return apply(condition.op, args[key] as Json, condition.value)
  if (condition.if_absent !== undefined) return yes(condition.if_absent)
  if (condition.op === 'exists') return yes(condition.value === false)
  if (condition.op === 'neq' || condition.op === 'not_in') return 'T'
  if (ORDERINGS.includes(condition.op) && (kind !== 'require' || isNegated)) return 'I'
  return 'F'
}

const same = (a: Json, b: Json): boolean => canonical(a) === canonical(b)
const canonical = (value: Json): string =>
  Array.isArray(value)
    ? `[${value.map(canonical).join()}]`
    : value !== null && typeof value === 'object'
      ? `{${Object.entries(value)
          .map(([k, v]) => `${k}:${canonical(v as Json)}`)
          .toSorted()
          .join()}}`
      : JSON.stringify(value)

function apply(op: string, value: Json, operand: Json): Value {
  const list = Array.isArray(operand) ? (operand as readonly Json[]) : []
  switch (op) {
    case 'eq':
      return yes(same(value, operand))
    case 'neq':
      return yes(!same(value, operand))
    case 'in':
      return yes(list.some((item) => same(item, value)))
    case 'not_in':
      return yes(!list.some((item) => same(item, value)))
    case 'exists':
      return yes(operand === true)
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return compare(op, value, Number(operand))
    case 'contains':
      if (Array.isArray(value)) return yes(value.some((item: Json) => same(item, operand)))
      return typeof value === 'string' && typeof operand === 'string'
        ? yes(value.includes(operand))
        : 'I'
    case 'length_lte':
    case 'length_gte':
      return measure(op, value, Number(operand))
    case 'type':
      return yes(
        (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value) === operand,
      )
    default:
      return typeof value === 'string' ? textual(op, value, String(operand)) : 'I'
  }
}

function compare(op: string, value: Json, bound: number): Value {
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value))
  if (!isNumeric) return 'I'
  const n = Number(value)
  return yes(
    op === 'lt' ? n < bound : op === 'lte' ? n <= bound : op === 'gt' ? n > bound : n >= bound,
  )
}

function measure(op: string, value: Json, bound: number): Value {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return 'I'
  const size = typeof value === 'string' ? [...value].length : Object.keys(value).length
  return yes(op === 'length_lte' ? size <= bound : size >= bound)
}

/** The generated texts mean themselves, as patterns and as globs. */
function textual(op: string, value: string, operand: string): Value {
  if (op === 'starts_with') return yes(value.startsWith(operand))
  if (op === 'ends_with') return yes(value.endsWith(operand))
  return yes(op === 'glob' ? value === operand : value.includes(operand))
}
