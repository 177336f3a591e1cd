import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import type { FrameId } from '../mcp/frame-model.ts'
import { missingMeta } from './lists.ts'

/** What a member says of itself. */
export interface Discovered {
  readonly name: string
  /** Undefined when it never said anything. */
  readonly result: JsonObject | undefined
  /** It did not answer now, so that the result is an older one. */
  readonly isMissing: boolean
}

/** What a stack is, besides its members. */
export interface StackFace {
  readonly name: string
  readonly versions: readonly string[]
}

/** Extensions that reach the one member that they are about; any other needs all of them. */
const ROUTED = new Set(['io.modelcontextprotocol/tasks', 'io.modelcontextprotocol/ui'])

/** The answer to `server/discover`: what the members can do together. */
export function discoverReply(
  id: FrameId,
  { name, versions }: StackFace,
  members: readonly Discovered[],
): string {
  const present = members.flatMap((m) => (m.result === undefined ? [] : [m.result]))
  const missing = members.filter((m) => m.isMissing).map((m) => m.name)
  const ttls = present.map((result) => member(result, 'ttlMs'))
  const ttlMs =
    missing.length > 0 ? 0 : Math.min(...ttls.map((t) => (typeof t === 'number' ? t : 0)))
  const info = { name, version: '1' }
  const { _meta } = missingMeta(missing)
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      supportedVersions: versions,
      capabilities: capabilitiesOf(present),
      instructions: instructionsOf(members),
      ttlMs: Math.max(0, ttlMs),
      cacheScope: 'private',
      _meta: { ..._meta, 'io.modelcontextprotocol/serverInfo': info },
    },
  })
}

const objectAt = (object: JsonObject, key: string): JsonObject | undefined => {
  const value = member(object, key)
  return isObject(value) ? value : undefined
}

/** The union of what reaches one member at a time; of anything else, what all of them can do. */
function capabilitiesOf(results: readonly JsonObject[]): JsonObject {
  const all = results.map((result) => objectAt(result, 'capabilities') ?? {})
  const having = (key: string): readonly JsonObject[] =>
    all.map((c) => objectAt(c, key)).filter((c) => c !== undefined)
  // A list changes when a member comes or goes, whether or not the member itself says so.
  const offered = (key: string) =>
    having(key).length === 0 ? {} : { [key]: { listChanged: true } }
  const resources = having('resources')
  const canSubscribe = resources.some((r) => member(r, 'subscribe') === true)
  const either = (key: string) => (having(key).length === 0 ? {} : { [key]: {} })
  const extensions = mergedExtensions(having('extensions'), all.length)
  const experimental = shared(having('experimental'), all.length)
  return {
    // What is not there to ask still has tools, as far as anybody knows.
    tools: { listChanged: true },
    ...offered('prompts'),
    ...(resources.length === 0
      ? {}
      : { resources: { listChanged: true, ...(canSubscribe ? { subscribe: true } : {}) } }),
    ...either('completions'),
    ...either('logging'),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
    ...(Object.keys(experimental).length === 0 ? {} : { experimental }),
  }
}

function mergedExtensions(sets: readonly JsonObject[], total: number): JsonObject {
  const routed = sets.flatMap((set) => Object.entries(set).filter(([key]) => ROUTED.has(key)))
  return { ...shared(sets, total), ...Object.fromEntries(routed.toReversed()) }
}

/** What stands in every one of `total` sets with the same settings. */
function shared(sets: readonly JsonObject[], total: number): JsonObject {
  const [first] = sets
  if (first === undefined || sets.length !== total) return {}
  const same = (a: Json | undefined, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b)
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => sets.every((s) => same(member(s, key), value))),
  )
}

function instructionsOf(members: readonly Discovered[]): string {
  const names = members.map((m) => m.name)
  const own = members.flatMap(({ name, result }) => {
    const text = result === undefined ? undefined : member(result, 'instructions')
    return typeof text === 'string' && text !== '' ? [`\n\n# ${name}\n\n${text}`] : []
  })
  return `Several servers as one: ${names.join(', ')}. A tool or prompt \`name\` of a server is called \`server__name\` here.${own.join('')}`
}
