import type { Instant } from './instant.ts'
import type { JsonObject } from './json/json.ts'
import type { Policy } from './policy/model.ts'

/** A policy with its identity; what a decision is recorded under. */
export interface LoadedPolicy {
  readonly id: string
  readonly name: string
  /** Changes whenever the text does: a store version, or a digest of the file. */
  readonly version: string
  readonly policy: Policy
}

/** What a live credential stands for. */
export interface Grant {
  readonly id: string
  readonly label: string
  /** Name of the one server that it opens; undefined for a grant of a stack. */
  readonly server: string | undefined
  /** The stack that it opens instead. */
  readonly stack?: StackScope | undefined
  /** None: everything is denied, rule `(no policy)`. */
  readonly policy: LoadedPolicy | undefined
  readonly tags: JsonObject
  readonly notBefore: Instant | undefined
  readonly expiresAt: Instant | undefined
}

/** What a grant opens of a stack: all of it, each member under its own policy. */
export interface StackScope {
  /** The stack's name. */
  readonly name: string
  /** By member, where it is not the grant's `policy`; undefined for one that is not there any more. */
  readonly policies: ReadonlyMap<string, LoadedPolicy | undefined>
}

/** The transports that a server with a URL may speak. */
export const HTTP_TRANSPORTS = ['auto', 'http', 'sse'] as const
/** The transport of a server with a URL. */
export type HttpTransport = (typeof HTTP_TRANSPORTS)[number]

/** How a server is reached. */
export type ServerTarget =
  | {
      readonly kind: 'http'
      readonly url: string
      /** Injected into every request; they win over the client's. */
      readonly headers: Readonly<Record<string, string>>
      /** `http`: Streamable HTTP · `sse`: HTTP+SSE (2024-11-05) · `auto`: whichever it speaks. */
      readonly transport: HttpTransport
    }
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      /** Added to a minimal environment (PATH, HOME and the like); nothing else of ours is inherited. */
      readonly env: Readonly<Record<string, string>>
      readonly cwd: string | undefined
      /** A process per client session, or one for all. */
      readonly instances: 'session' | 'shared'
    }

/** What `era` of a server may say: found out, or known to be one era or both. */
export const ERA_PINS = ['auto', 'legacy', 'modern', 'both'] as const
export type EraPin = (typeof ERA_PINS)[number]

/** A server as configured. */
export interface ServerEntry {
  readonly id: string
  readonly name: string
  readonly target: ServerTarget
  /** Which eras of the protocol the server speaks; clients of the other are bridged. */
  readonly era: EraPin
  /** Vendor request methods to relay; other unknown ones are refused. */
  readonly methods: readonly string[]
  /** Where it was made: the file is read-only for the admin API. */
  readonly source: 'file' | 'store'
}

/** Several servers as one endpoint, as configured. */
export interface StackEntry {
  readonly id: string
  readonly name: string
  /** Names of its members, in the order of lists. */
  readonly servers: readonly string[]
  readonly source: 'file' | 'store'
}

/** Everything that an exchange needs to know of the configuration: immutable, swapped whole. */
export interface Snapshot {
  /** By name and by id. */
  readonly servers: ReadonlyMap<string, ServerEntry>
  /** By name and by id. */
  readonly stacks: ReadonlyMap<string, StackEntry>
  /** By the SHA-256 of the credential, lower-case hex. */
  readonly grants: ReadonlyMap<string, Grant>
  readonly policies: ReadonlyMap<string, LoadedPolicy>
}
