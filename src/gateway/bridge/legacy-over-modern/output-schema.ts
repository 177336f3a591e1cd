import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'

/**
 * Output schemas. Since 2026-07-28 structured content may be any JSON value; before it was an object.
 * What is no object goes to a session as the member `result` of one, and its schema likewise.
 */

/** True for a schema that may describe something else than an object. */
export const needsWrapping = (schema: Json | undefined): boolean =>
  isObject(schema) && member(schema, 'type') !== 'object'

/** Keywords whose values are data, in which nothing is a reference. */
const DATA = new Set(['const', 'enum', 'default', 'examples'])
/** Keywords whose members are named by the author, and hold schemas. */
const NAMED = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
])
const REFERENCES = new Set(['$ref', '$dynamicRef'])
const ROOT = '#/properties/result'

/** The schema of `{ result: … }`; references to its root follow it to its new place. */
export function wrapSchema(schema: JsonObject): JsonObject {
  const dialect = member(schema, '$schema')
  return {
    ...(typeof dialect === 'string' ? { $schema: dialect } : {}),
    type: 'object',
    properties: { result: moved(schema) },
    required: ['result'],
  }
}

/** An `$id` that is more than a fragment: what it holds refers to itself, wherever it stands. */
const isBase = (schema: JsonObject): boolean => {
  const id = member(schema, '$id')
  return typeof id === 'string' && !id.startsWith('#')
}

function moved(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(moved)
  if (!isObject(schema) || isBase(schema)) return schema
  const out: Record<string, Json> = {}
  for (const [key, value] of Object.entries(schema)) out[key] = movedAt(key, value)
  return out
}

function movedAt(key: string, value: Json): Json {
  if (REFERENCES.has(key) && typeof value === 'string')
    return value === '#' ? ROOT : value.startsWith('#/') ? ROOT + value.slice(1) : value
  if (DATA.has(key)) return value
  if (!NAMED.has(key) || !isObject(value)) return moved(value)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, moved(one)]))
}
