import type { JsonObject } from '../json/json.ts'
import { createPatterns } from './pattern.ts'
import { documentShape } from './shapes.ts'

/** Where the schema lives; a document may name it as its `$schema`. */
export const SCHEMA_ID = 'https://sallyport.dev/schema/policy.v1.json'

/** The JSON Schema (2020-12) of a policy document, made of the shapes that validate it. */
export function policySchema(): JsonObject {
  const { root, definitions } = documentShape(createPatterns())
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: SCHEMA_ID,
    title: 'Sallyport policy',
    ...root.schema,
    $defs: Object.fromEntries(
      Object.entries(definitions).map(([name, shape]) => [name, shape.schema]),
    ),
  }
}
