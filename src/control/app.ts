import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { ApiError, apiErrors, problemOf } from '../core/contract/problem.ts'
import { exactText } from '../core/json/exact-text.ts'
import { checkToken } from './auth.ts'
import { parseBody } from './body.ts'
import { openApi } from './openapi.ts'
import type { ControlPorts, Route } from './route.ts'
import { routes } from './routes/index.ts'

const largestBody = 1 << 20
const base = '/api/v1'

/** Answers one request of the admin API; its Host and Origin are already checked. */
export type Control = (request: IncomingMessage, response: ServerResponse) => void

/** The control plane over HTTP: everything under `/api/v1`. */
export function createControl(ports: ControlPorts): Control {
  const app = createApp(ports)
  // Global Request and Response stay Node's own: the data plane shares this process.
  const listen = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request, response) => {
    listen(request, response).catch((thrown: unknown) => {
      ports.failed(thrown)
      response.destroy()
    })
  }
}

/** The application itself, without a listener. */
export function createApp(ports: ControlPorts): Hono {
  const app = new Hono({ strict: true })
  app.use('*', async (c, next) => {
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
    checkToken(c.req.header('Authorization'), ports.adminTokenDigest)
    await next()
  })
  app.get(`${base}/openapi.json`, (c) => c.json(openApi(routes)))
  for (const route of routes)
    app.on(route.verb.toUpperCase(), `${base}${route.path.replace('{key}', ':key')}`, (c) =>
      answer(c, route, ports),
    )
  for (const path of new Set(routes.map((route) => route.path))) {
    const verbs = routes.filter((r) => r.path === path).map((r) => r.verb.toUpperCase())
    app.all(`${base}${path.replace('{key}', ':key')}`, (c) => {
      c.header('Allow', verbs.join(', '))
      throw new ApiError('verb_unknown', `known here: ${verbs.join(', ')}`)
    })
  }
  app.notFound((c) => refuse(c, new ApiError('path_unknown')))
  app.onError((thrown, c) => {
    if (!(thrown instanceof ApiError) || thrown.cause !== undefined) ports.failed(thrown)
    return refuse(c, thrown instanceof ApiError ? thrown : new ApiError('api_failed'))
  })
  return app
}

async function answer(c: Context, route: Route, ports: ControlPorts): Promise<Response> {
  const { text, body } = route.body === undefined ? { text: '', body: undefined } : await read(c)
  const { status, body: shown } = await route.run({
    ports,
    key: c.req.param('key') ?? '',
    query: singleQuery(c),
    text,
    body,
  })
  if (status === 204) return c.body(null, 204)
  c.header('Content-Type', 'application/json')
  return c.body(exactText(shown), status)
}

async function read(c: Context): Promise<{ text: string; body: unknown }> {
  const type = (c.req.header('Content-Type') ?? '').trim().toLowerCase()
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?$/.test(type))
    throw new ApiError('body_not_json')
  if (c.req.header('Content-Encoding') !== undefined)
    throw new ApiError('body_not_json', 'without a content encoding')
  const bytes = await readBytes(c.req.raw.body)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new ApiError('body_invalid', 'it is not UTF-8')
  }
  return { text, body: parseBody(text).value }
}

/** The body's bytes, at most {@link largestBody}. */
async function readBytes(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > largestBody) throw new ApiError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The query; a parameter that is given twice could mean either. */
function singleQuery(c: Context): Record<string, string> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1)
      throw new ApiError('query_invalid', `\`${name.slice(0, 64)}\` is given more than once`)
    query[name] = values[0] ?? ''
  }
  return query
}

function refuse(c: Context, error: ApiError): Response {
  const { status } = apiErrors[error.code]
  if (status === 401)
    c.header(
      'WWW-Authenticate',
      `Bearer realm="sallyport-admin"${error.code === 'token_wrong' ? ', error="invalid_token"' : ''}`,
    )
  c.header('Content-Type', 'application/problem+json')
  return c.body(JSON.stringify(problemOf(error)), status)
}
