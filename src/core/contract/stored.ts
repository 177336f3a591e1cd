/**
 * What the store keeps of servers and grants. Read by hand, without a schema library: the gateway
 * reads it at every start, and the library alone takes longer to load than everything else.
 */
import { isObject, type JsonObject } from '../json/json.ts'
import {
  ERA_PINS,
  type EraPin,
  HTTP_TRANSPORTS,
  type HttpTransport,
  type ServerTarget,
} from '../snapshot.ts'

/** What the store keeps of a server. */
export interface ServerDocument {
  readonly target: ServerTarget
  readonly era: EraPin
  readonly methods: readonly string[]
}

/** What the store keeps of a stack. */
export interface StackDocument {
  readonly servers: readonly string[]
}

/** What the store keeps of a grant: it opens a server or a stack. */
export interface GrantDocument {
  readonly server: string | undefined
  readonly stack: GrantedStack | undefined
  readonly policy: string | undefined
  /** SHA-256 of the token, lower-case hex. */
  readonly tokenDigest: string
  readonly tags: JsonObject
  readonly notBefore: number | undefined
  readonly expiresAt: number | undefined
}

/** The stack that a grant opens, and policies by member, all by name. */
export interface GrantedStack {
  readonly name: string
  readonly policies: Readonly<Record<string, string>>
}

/** Reads a stored server; undefined when it is not one. */
export function parseServerDocument(text: string): ServerDocument | undefined {
  const value = parse(text)
  if (!isObject(value) || !isObject(value.target)) return undefined
  const { methods = [], era = 'auto' } = value
  const target = targetOf(value.target)
  if (target === undefined || !isTexts(methods) || !isEraPin(era)) return undefined
  return { target, era, methods }
}

function targetOf(stored: JsonObject): ServerTarget | undefined {
  const { kind, url, headers = {}, command, args = [], env = {}, cwd, instances } = stored
  const { transport = 'auto' } = stored
  if (kind === 'http')
    return typeof url === 'string' && isTextMap(headers) && isTransport(transport)
      ? { kind, url, headers, transport }
      : undefined
  if (kind !== 'stdio' || typeof command !== 'string') return undefined
  if (instances !== 'session' && instances !== 'shared') return undefined
  if (!isTexts(args) || !isTextMap(env)) return undefined
  if (cwd !== undefined && typeof cwd !== 'string') return undefined
  return { kind, command, args, env, cwd, instances }
}

/** Reads a stored stack; undefined when it is not one. */
export function parseStackDocument(text: string): StackDocument | undefined {
  const value = parse(text)
  if (!isObject(value)) return undefined
  const { servers } = value
  return isTexts(servers) ? { servers } : undefined
}

const isTransport = (value: unknown): value is HttpTransport =>
  HTTP_TRANSPORTS.some((transport) => transport === value)

/** Reads a stored grant; undefined when it is not one. */
export function parseGrantDocument(text: string): GrantDocument | undefined {
  const value = parse(text)
  if (!isObject(value)) return undefined
  const { server, policy, tokenDigest, tags = {}, notBefore, expiresAt } = value
  const stack = value.stack === undefined ? undefined : grantedStack(value.stack)
  // INVARIANT: one of the two; a grant that could mean either opens neither.
  if ((typeof server === 'string') === (stack !== undefined)) return undefined
  if (server !== undefined && typeof server !== 'string') return undefined
  if (value.stack !== undefined && stack === undefined) return undefined
  if (typeof tokenDigest !== 'string') return undefined
  if (!/^[0-9a-f]{64}$/.test(tokenDigest) || !isObject(tags)) return undefined
  // INVARIANT: a grant whose dates can not be read is no grant; it must not become one without end.
  if (!isInstant(notBefore) || !isInstant(expiresAt)) return undefined
  if (policy !== undefined && typeof policy !== 'string') return undefined
  return { server, stack, policy, tokenDigest, tags, notBefore, expiresAt }
}

function grantedStack(stored: unknown): GrantedStack | undefined {
  if (!isObject(stored)) return undefined
  const { name, policies = {} } = stored
  return typeof name === 'string' && isTextMap(policies) ? { name, policies } : undefined
}

const isEraPin = (value: unknown): value is EraPin => ERA_PINS.some((pin) => pin === value)

const isInstant = (value: unknown): value is number | undefined =>
  value === undefined || Number.isFinite(value)

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

const isTextMap = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((item) => typeof item === 'string')

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
