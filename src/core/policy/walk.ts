import { fold } from '../fold.ts'
import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import type { AccessRequest } from './model.ts'
import { isPlainKey, type Segment } from './path.ts'

/** What one decision works on: the request, and what was learnt of its objects. */
export interface Scope {
  readonly request: AccessRequest
  /** The arguments' schema as far as the gateway knows it, so that declared defaults are found. */
  readonly schema: JsonObject
  /** The object that was walked through last, and its keys: most conditions look into one. */
  lastObject: JsonObject | undefined
  lastForms: Forms
  /** The same of those before it. */
  forms: Map<JsonObject, Forms> | undefined
}

/** Own keys by folded form, or `plain` when every key folds only to itself. */
type Forms = 'plain' | ReadonlyMap<string, number>

/** A scope for one decision. */
export const scopeOf = (request: AccessRequest): Scope => ({
  request,
  schema: { properties: request.tool.properties },
  lastObject: undefined,
  lastForms: 'plain',
  forms: undefined,
})

/** What to make of the end of a path. `Out` is a truth, an amount, … */
export interface Ends<Out> {
  readonly found: (value: Json) => Out
  readonly absent: Out
  readonly unjudged: (why: string) => Out
  /** What `[*]` makes of the elements, of which there is at least one. */
  readonly each: (items: readonly Json[], judge: (item: Json) => Out) => Out
  /** Whether a default that the tool's schema declares stands for a missing argument. */
  readonly usesDefaults: boolean
}

type Step<Out> = (value: Json, schema: JsonObject | undefined, scope: Scope) => Out

/** Why a key that is there, or seems not to be, can't be trusted. */
const LOOKALIKE = 'a key differs from it only in form (case, width or invisible characters)'
const SPELLED = 'another key spells the same path in one'
const IN_LIST = 'it crosses a list without `[0]` or `[*]`'
const NO_LIST = 'a list was expected there'
const IN_SCALAR = 'it goes into a value that is no object'

/** Compiles a path's steps into one function; nothing is parsed or allocated when it runs. */
export function compileWalk<Out>(segments: readonly Segment[], ends: Ends<Out>): Step<Out> {
  let next: Step<Out> = (value) => ends.found(value)
  for (const segment of segments.toReversed()) next = compileStep(segment, ends, next)
  return next
}

function compileStep<Out>(segment: Segment, ends: Ends<Out>, next: Step<Out>): Step<Out> {
  switch (segment.kind) {
    case 'key':
      return compileKey(segment, ends, next)
    case 'index': {
      const { index } = segment
      return (value, schema, scope) => {
        if (!Array.isArray(value)) return value === null ? ends.absent : ends.unjudged(NO_LIST)
        return index < value.length ? next(value[index], itemsOf(schema), scope) : ends.absent
      }
    }
    case 'each':
      return (value, schema, scope) => {
        if (!Array.isArray(value)) return value === null ? ends.absent : ends.unjudged(NO_LIST)
        if (value.length === 0) return ends.absent
        const items = itemsOf(schema)
        return ends.each(value, (item) => next(item, items, scope))
      }
    default:
      return segment satisfies never
  }
}

function compileKey<Out>(
  segment: Extract<Segment, { kind: 'key' }>,
  ends: Ends<Out>,
  next: Step<Out>,
): Step<Out> {
  const { key, isPlain } = segment
  return (value, schema, scope) => {
    if (!isObject(value)) {
      if (value === null) return ends.absent
      return ends.unjudged(Array.isArray(value) ? IN_LIST : IN_SCALAR)
    }
    const forms = formsOf(value, scope)
    const own = Object.hasOwn(value, key)
    if (!isPlain || forms !== 'plain') {
      const doubt = doubtOf(segment, own, forms === 'plain' ? countForms(value) : forms)
      if (doubt !== undefined) return ends.unjudged(doubt)
    }
    const declared = schema === undefined ? undefined : propertyOf(schema, key)
    if (own) return next(value[key] as Json, declared, scope)
    if (ends.usesDefaults && declared !== undefined && Object.hasOwn(declared, 'default'))
      return next(declared.default as Json, declared, scope)
    return ends.absent
  }
}

function doubtOf(
  segment: Extract<Segment, { kind: 'key' }>,
  own: boolean,
  forms: ReadonlyMap<string, number>,
): string | undefined {
  if ((forms.get(segment.folded) ?? 0) > (own ? 1 : 0)) return LOOKALIKE
  for (const spelling of segment.joined) if (forms.has(spelling)) return SPELLED
  if (segment.beforeEach)
    for (const form of forms.keys())
      if (form.startsWith(`${segment.folded}.`) || form.startsWith(`${segment.folded}[`))
        return SPELLED
  return undefined
}

function formsOf(object: JsonObject, scope: Scope): Forms {
  if (scope.lastObject === object) return scope.lastForms
  let forms = scope.forms?.get(object)
  if (forms === undefined) {
    forms = isPlainObject(object) ? 'plain' : countForms(object)
    scope.forms ??= new Map()
    scope.forms.set(object, forms)
  }
  scope.lastObject = object
  scope.lastForms = forms
  return forms
}

function isPlainObject(object: JsonObject): boolean {
  const keys = Object.keys(object)
  for (let i = 0; i < keys.length; i++) if (!isPlainKey(keys[i] as string)) return false
  return true
}

function countForms(object: JsonObject): ReadonlyMap<string, number> {
  const forms = new Map<string, number>()
  for (const key of Object.keys(object)) {
    const folded = fold(key)
    forms.set(folded, (forms.get(folded) ?? 0) + 1)
  }
  return forms
}

const propertyOf = (schema: JsonObject, key: string): JsonObject | undefined => {
  const properties = member(schema, 'properties')
  const declared = isObject(properties) ? member(properties, key) : undefined
  return isObject(declared) ? declared : undefined
}

const itemsOf = (schema: JsonObject | undefined): JsonObject | undefined => {
  const items = schema === undefined ? undefined : member(schema, 'items')
  return isObject(items) ? items : undefined
}
