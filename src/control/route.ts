import type { z } from 'zod'
import type { SchemaName } from '../core/contract/schemas.ts'
import type { Clock, NounStore, RecordStore } from '../core/ports.ts'
import type { Snapshot } from '../core/snapshot.ts'

/** What the routes work on. */
export interface ControlPorts {
  readonly nouns: NounStore
  readonly records: RecordStore
  readonly snapshot: () => Snapshot
  /** SHA-256 of the admin token, lower-case hex. */
  readonly adminTokenDigest: string
  /** May admins add servers that run a command or stand in a private network? */
  readonly mayAddCommands: () => boolean
  /** Resolves when what was just stored is in force in this process. */
  readonly changed: () => Promise<void>
  readonly clock: Clock
  /** Told of what went wrong inside; the caller only learns that it did. */
  readonly failed: (thrown: unknown) => void
}

/** One request, read and checked. */
export interface RouteCall {
  readonly ports: ControlPorts
  /** The `{key}` of the path; empty where it has none. */
  readonly key: string
  readonly query: Readonly<Record<string, string>>
  /** The body as text, and as a checked value. */
  readonly text: string
  readonly body: unknown
}

/** What a route answers. */
export interface Answer {
  readonly status: 200 | 201 | 204
  readonly body?: unknown
}

/** One operation of the API: registered, and described in OpenAPI, from the same row. */
export interface Route {
  readonly verb: 'get' | 'post' | 'put' | 'delete'
  /** Under `/api/v1`; at most one `{key}`. */
  readonly path: `/${string}`
  readonly summary: string
  readonly query?: z.ZodObject
  readonly body?: SchemaName
  readonly answers: Readonly<Record<number, SchemaName | 'none'>>
  readonly run: (call: RouteCall) => Promise<Answer>
}
