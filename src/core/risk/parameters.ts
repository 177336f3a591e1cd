import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { splitName } from './words.ts'

/** One property of a tool's input schema, at whatever depth. */
export interface Parameter {
  readonly name: string
  readonly words: readonly string[]
  /** The strings it may be, where the schema names them. */
  readonly choices: readonly string[]
  /** True when it has more choices than were read. */
  readonly hasMore: boolean
  readonly isText: boolean
  readonly isList: boolean
  /** How many schemas enclose it: 0 for the tool's own arguments. */
  readonly depth: number
}

const MAX_PARAMETERS = 400
const MAX_CHOICES = 200
const MAX_DEPTH = 12
/** Schemas and choices looked at in one definition. */
const MAX_STEPS = 10_000
/** Of the name of a parameter, and of each of its choices. */
export const MAX_TEXT = 80
const BRANCHES = ['anyOf', 'oneOf', 'allOf'] as const

/** Counts down; what asks after it is spent gets nothing, and the definition counts as cut. */
interface Budget {
  left: number
  readonly takes: () => boolean
}

/** The properties of a schema, through arrays and unions, and whether it was too large to read whole. */
export function readParameters(schema: Json | undefined) {
  const parameters: Parameter[] = []
  const budget: Budget = { left: MAX_STEPS, takes: () => --budget.left >= 0 }
  let isCut = false

  const visit = (node: Json | undefined, depth: number): void => {
    if (!isObject(node) || !budget.takes()) return
    if (depth > MAX_DEPTH) {
      isCut = true
      return
    }
    const properties = member(node, 'properties')
    if (isObject(properties))
      // INVARIANT: for-in stops early, where Object.keys would copy a hostile number of keys.
      for (const name in properties) {
        if (!Object.hasOwn(properties, name)) continue
        if (parameters.length >= MAX_PARAMETERS) {
          isCut = true
          break
        }
        const property = properties[name]
        parameters.push(readParameter(name.slice(0, MAX_TEXT), property, { depth, budget }))
        visit(property, depth + 1)
      }
    visit(member(node, 'items'), depth + 1)
    for (const branch of branchesOf(node, budget)) visit(branch, depth + 1)
  }

  visit(schema, 0)
  return { parameters: parameters as readonly Parameter[], isCut: isCut || budget.left < 0 }
}

function readParameter(
  name: string,
  schema: Json | undefined,
  { depth, budget }: { readonly depth: number; readonly budget: Budget },
): Parameter {
  const detail: JsonObject = isObject(schema) ? schema : {}
  const type = member(detail, 'type')
  const choices = choicesOf(detail, budget)
  return {
    name,
    words: splitName(name, 8),
    choices: choices.slice(0, MAX_CHOICES),
    hasMore: choices.length > MAX_CHOICES,
    isText: type === undefined || type === 'string' || Array.isArray(type),
    isList: type === 'array',
    depth,
  }
}

/** The strings of `enum` and `const`; one more than are kept tells that there are more. */
function choicesOf(schema: JsonObject, budget: Budget): readonly string[] {
  const found: string[] = []
  const keep = (value: Json | undefined): void => {
    if (typeof value === 'string') found.push(value.slice(0, MAX_TEXT))
  }
  const items = member(schema, 'items')
  for (const node of [schema, ...(isObject(items) ? [items] : []), ...branchesOf(schema, budget)]) {
    if (!isObject(node)) continue
    keep(member(node, 'const'))
    const listed = member(node, 'enum')
    if (!Array.isArray(listed)) continue
    for (const value of listed) {
      if (found.length > MAX_CHOICES || !budget.takes()) return found
      keep(value)
    }
  }
  return found
}

function branchesOf(schema: JsonObject, budget: Budget): readonly Json[] {
  const found: Json[] = []
  for (const key of BRANCHES) {
    const branches = member(schema, key)
    if (!Array.isArray(branches)) continue
    for (const branch of branches) {
      if (!budget.takes()) return found
      found.push(branch)
    }
  }
  return found
}
