import { isObject, type Json, type JsonObject, member } from '../json/json.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const PRIMITIVE = new Set<Json | undefined>(['string', 'integer', 'boolean'])
const MAX_NESTING = 64

/**
 * Why a definition's `x-mcp-header` declarations can't be followed, so that no client that repeats
 * arguments in headers may offer the tool; undefined when they can.
 */
export function mirrorFault(definition: JsonObject): string | undefined {
  const seen = new Set<string>()
  const declared = (schema: JsonObject, isReachable: boolean): string | undefined => {
    if (!Object.hasOwn(schema, 'x-mcp-header')) return undefined
    const name = member(schema, 'x-mcp-header')
    if (typeof name !== 'string' || !TOKEN.test(name)) return 'a name is no header token'
    if (!isReachable) return 'an argument has no fixed place'
    if (!PRIMITIVE.has(member(schema, 'type'))) return 'an argument is no single value'
    if (seen.has(name.toLowerCase())) return 'a name is used twice'
    seen.add(name.toLowerCase())
    return undefined
  }
  const visit = (
    schema: Json | undefined,
    isReachable: boolean,
    depth: number,
  ): string | undefined => {
    if (Array.isArray(schema)) return first(schema, (one) => visit(one, false, depth + 1))
    if (!isObject(schema) || depth > MAX_NESTING) return undefined
    return (
      declared(schema, isReachable && depth > 0) ??
      first(Object.entries(schema), ([key, value]) => {
        if (DATA.has(key)) return undefined
        if (!NAMED.has(key) || !isObject(value)) return visit(value, false, depth + 1)
        const isPlace = isReachable && key === 'properties'
        return first(Object.values(value), (one) => visit(one, isPlace, depth + 1))
      })
    )
  }
  return visit(member(definition, 'inputSchema'), true, 0)
}

/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'required', 'x-mcp-header'])
/** Keywords whose members are named by the author, and hold schemas. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])

function first<T>(all: readonly T[], find: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}
