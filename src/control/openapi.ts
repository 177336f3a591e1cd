import { z } from 'zod'
import { schemas } from '../core/contract/schemas.ts'
import type { Route } from './route.ts'

const schemaRef = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (name: string) => ({ content: { 'application/json': { schema: schemaRef(name) } } })
const problem = {
  description: 'an RFC 9457 problem document',
  content: { 'application/problem+json': { schema: schemaRef('Problem') } },
}
const texts: Readonly<Record<number, string>> = { 200: 'done', 201: 'made', 204: 'gone' }

/** The OpenAPI 3.1 document of the admin API. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = `/api/v1${route.path}`
    paths[path] = { ...paths[path], [route.verb]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sallyport admin API', version: '1' },
    security: [{ admin: [] }],
    paths,
    components: {
      securitySchemes: { admin: { type: 'http', scheme: 'bearer' } },
      schemas: shapes(),
    },
  }
}

function operation(route: Route): object {
  const inPath = route.path.includes('{key}')
    ? [{ name: 'key', in: 'path', required: true, schema: { type: 'string' } }]
    : []
  const answers = Object.entries(route.answers).map(([status, name]) => [
    status,
    { description: texts[Number(status)] ?? 'done', ...(name === 'none' ? {} : json(name)) },
  ])
  return {
    summary: route.summary,
    parameters: [...inPath, ...(route.query === undefined ? [] : inQuery(route.query))],
    ...(route.body === undefined ? {} : { requestBody: { required: true, ...json(route.body) } }),
    responses: { ...Object.fromEntries(answers), default: problem },
  }
}

function inQuery(query: z.ZodObject): object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
}

/** Every named shape, referring to one another. */
function shapes(): Record<string, object> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const made = z.toJSONSchema(registry, {
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  })
  return Object.fromEntries(
    Object.entries(made.schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  )
}
