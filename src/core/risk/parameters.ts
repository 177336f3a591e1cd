import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { splitName } from './words.ts'

/** One property of a tool's input schema, at whatever depth. */
export interface Parameter {
  readonly name: string
  readonly words: readonly string[]
  /** The strings it may be, where the schema names them. */
  readonly choices: readonly string[]
  readonly format: string
  /** Lower case, bounded. */
  readonly description: string
  readonly isText: boolean
  readonly depth: number
}

const MAX_PARAMETERS = 200
const MAX_CHOICES = 200
const MAX_DEPTH = 4
const MAX_VISITS = 600
const BRANCHES = ['anyOf', 'oneOf', 'allOf'] as const

const shortText = (value: Json | undefined, limit: number): string =>
  typeof value === 'string' ? value.slice(0, limit) : ''

/** Reads the properties of a schema, through arrays and unions, and says whether it was too large. */
export function readParameters(schema: Json | undefined) {
  const found: Parameter[] = []
  let visits = 0
  let isCut = false

  const choicesOf = (node: JsonObject): readonly string[] => {
    const out: string[] = []
    const collect = (value: Json | undefined): void => {
      if (typeof value !== 'string') return
      if (out.length < MAX_CHOICES) out.push(value.slice(0, 80))
      else isCut = true
    }
    const fromNode = (at: JsonObject): void => {
      collect(member(at, 'const'))
      const list = member(at, 'enum')
      if (Array.isArray(list)) for (const value of list.slice(0, MAX_CHOICES + 1)) collect(value)
    }
    fromNode(node)
    const items = member(node, 'items')
    if (isObject(items)) fromNode(items)
    for (const key of BRANCHES) {
      const branches = member(node, key)
      if (!Array.isArray(branches)) continue
      for (const branch of branches.slice(0, MAX_CHOICES)) if (isObject(branch)) fromNode(branch)
    }
    return out
  }

  const visit = (node: Json | undefined, depth: number): void => {
    if (!isObject(node)) return
    if (depth > MAX_DEPTH || ++visits > MAX_VISITS) {
      isCut = true
      return
    }
    const properties = member(node, 'properties')
    if (isObject(properties))
      // INVARIANT: for-in stops early, where Object.keys would copy a hostile number of keys.
      for (const name in properties) {
        if (!Object.hasOwn(properties, name)) continue
        if (found.length >= MAX_PARAMETERS) {
          isCut = true
          break
        }
        const property = properties[name]
        const detail = isObject(property) ? property : {}
        const type = member(detail, 'type')
        found.push({
          name: name.slice(0, 80),
          words: splitName(name.slice(0, 80), 8),
          choices: choicesOf(detail),
          format: shortText(member(detail, 'format'), 40).toLowerCase(),
          description: shortText(member(detail, 'description'), 300).toLowerCase(),
          isText: type === undefined || type === 'string' || Array.isArray(type),
          depth,
        })
        visit(property, depth + 1)
      }
    visit(member(node, 'items'), depth + 1)
    for (const key of BRANCHES) {
      const branches = member(node, key)
      if (Array.isArray(branches)) {
        if (branches.length > MAX_CHOICES) isCut = true
        for (const branch of branches.slice(0, MAX_CHOICES)) visit(branch, depth + 1)
      }
    }
  }

  visit(schema, 0)
  return { parameters: found as readonly Parameter[], isCut }
}
