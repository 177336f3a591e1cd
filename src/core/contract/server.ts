import { z } from 'zod'
import { ERA_PINS, HTTP_TRANSPORTS } from '../snapshot.ts'
import { ruled } from './ruled.ts'
import {
  wrongHeaderName,
  wrongHeaderValue,
  wrongMethod,
  wrongServerName,
  wrongVariableName,
} from './rules.ts'
import type { ServerDocument } from './stored.ts'

const text = z.string().max(8192)
const common = {
  era: z.enum(ERA_PINS).optional().meta({ description: 'which eras of the protocol it speaks' }),
  methods: z.array(ruled(z.string(), wrongMethod)).max(256).optional(),
}
const http = {
  ...common,
  url: z.string().max(2048),
  headers: z
    .record(ruled(z.string(), wrongHeaderName), ruled(z.string(), wrongHeaderValue))
    .optional()
    .meta({ description: 'injected into every request; write-only', writeOnly: true }),
  transport: z.enum(HTTP_TRANSPORTS).optional(),
}
const stdio = {
  ...common,
  command: z.string().min(1).max(4096),
  args: z.array(text).max(1024).optional(),
  env: z
    .record(ruled(z.string(), wrongVariableName), text)
    .optional()
    .meta({ description: 'added to a minimal environment; write-only', writeOnly: true }),
  cwd: z.string().min(1).max(4096).optional(),
  instances: z.enum(['session', 'shared']).optional(),
}
const name = { name: ruled(z.string(), wrongServerName) }

/** A server with a URL, and one with a command, as they are replaced. */
export const serverPut = z.union([z.strictObject(http), z.strictObject(stdio)])
/** The same with a name, as they are made. */
export const serverPost = z.union([
  z.strictObject({ ...name, ...http }),
  z.strictObject({ ...name, ...stdio }),
])

/** A server as it is shown: header and variable names, never their values. */
export const serverView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['http', 'stdio']),
  url: z.string().nullable(),
  headers: z.array(z.string()).meta({ description: 'names only' }),
  transport: z.enum(HTTP_TRANSPORTS).nullable(),
  command: z.string().nullable(),
  args: z.array(z.string()),
  env: z.array(z.string()).meta({ description: 'names only' }),
  cwd: z.string().nullable(),
  instances: z.enum(['session', 'shared']).nullable(),
  era: z.enum(ERA_PINS),
  methods: z.array(z.string()),
  source: z.enum(['file', 'store']),
})

/** A server as it is shown. */
export type ServerView = z.infer<typeof serverView>
/** What may be said of a server. */
export type ServerPut = z.infer<typeof serverPut>

/** The stored form of what was said of a server. */
export function serverDocument(put: ServerPut): ServerDocument {
  const { era = 'auto', methods = [] } = put
  if ('url' in put) {
    const { url, headers = {}, transport = 'auto' } = put
    return { target: { kind: 'http', url, headers, transport }, era, methods }
  }
  const { command, args = [], env = {}, cwd, instances = 'session' } = put
  return { target: { kind: 'stdio', command, args, env, cwd, instances }, era, methods }
}
