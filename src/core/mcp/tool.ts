import { isObject, type Json, type JsonObject, member } from '../json/json.ts'

/** An argument that is mirrored in a request header, by the tool's `x-mcp-header`. */
export interface MirroredParam {
  /** Property names from the arguments down. */
  readonly path: readonly string[]
  /** Lower-case header name, `mcp-param-…`. */
  readonly header: string
}

const MAX_NESTING = 8
const HEADER_PART = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

/** The arguments that a tool definition mirrors in headers. */
export function mirroredParams(definition: JsonObject): readonly MirroredParam[] {
  const found: MirroredParam[] = []
  const visit = (schema: Json | undefined, path: readonly string[]): void => {
    if (!isObject(schema) || path.length > MAX_NESTING || found.length > 64) return
    const name = member(schema, 'x-mcp-header')
    if (path.length > 0 && typeof name === 'string' && HEADER_PART.test(name))
      found.push({ path, header: `mcp-param-${name.toLowerCase()}` })
    const properties = member(schema, 'properties')
    if (!isObject(properties)) return
    for (const key of Object.keys(properties)) visit(member(properties, key), [...path, key])
  }
  visit(member(definition, 'inputSchema'), [])
  return found
}

/** The page that shows a tool (MCP Apps), in the newer and in the older place. */
export function pageUri(definition: JsonObject): string | undefined {
  const meta = objectMember(definition, '_meta')
  const uri = member(objectMember(meta, 'ui'), 'resourceUri') ?? member(meta, 'ui/resourceUri')
  return typeof uri === 'string' ? uri : undefined
}

const objectMember = (from: Json | undefined, key: string): JsonObject => {
  const value = isObject(from) ? member(from, key) : undefined
  return isObject(value) ? value : {}
}

/** What a policy may know of a definition: annotations and declared properties. */
export const policyFacts = (
  definition: JsonObject,
): { annotations: JsonObject; properties: JsonObject } => ({
  annotations: objectMember(definition, 'annotations'),
  properties: objectMember(member(definition, 'inputSchema'), 'properties'),
})
