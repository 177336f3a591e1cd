import type { GrantedStack } from '../../core/contract/stored.ts'
import type { Instant } from '../../core/instant.ts'
import type { JsonObject } from '../../core/json/json.ts'
import type { ServerEntry, StackEntry } from '../../core/snapshot.ts'

/** The configuration as read from `sallyport.yaml`; it holds no token, only digests. */
export interface Config {
  readonly listen: {
    readonly host: string
    readonly port: number
    /** Further Host names that are served. */
    readonly hosts: readonly string[]
    /** Further Origins that browsers may call from. */
    readonly origins: readonly string[]
  }
  readonly store: 'sqlite'
  readonly counters: 'store'
  readonly audit: 'buffered' | 'strict'
  readonly admin: {
    /** SHA-256 of the admin token, lower-case hex. */
    readonly tokenDigest: string | undefined
    /** May admins add servers that run a command, or stand in a private network, over the API? */
    readonly commands: boolean
  }
  readonly servers: ReadonlyMap<string, ServerEntry>
  /** Name to absolute file name. */
  readonly policies: ReadonlyMap<string, string>
  readonly stacks: ReadonlyMap<string, StackEntry>
  readonly grants: ReadonlyMap<string, FileGrant>
  /** Pointers of the tokens that stand in the file itself instead of in the environment. */
  readonly literalSecrets: readonly string[]
}

/** A grant as the file states it. */
export interface FileGrant {
  readonly label: string
  /** One of these two: the server, or the stack, that it opens. */
  readonly server: string | undefined
  readonly stack: GrantedStack | undefined
  readonly policy: string | undefined
  /** SHA-256 of the token, lower-case hex. */
  readonly tokenDigest: string
  readonly tags: JsonObject
  readonly notBefore: Instant | undefined
  readonly expiresAt: Instant | undefined
}

/** What is in force where there is no file. */
export const emptyConfig: Config = {
  listen: { host: '127.0.0.1', port: 7400, hosts: [], origins: [] },
  store: 'sqlite',
  counters: 'store',
  audit: 'buffered',
  admin: { tokenDigest: undefined, commands: false },
  servers: new Map(),
  policies: new Map(),
  stacks: new Map(),
  grants: new Map(),
  literalSecrets: [],
}
