import { isObject, type Json, type JsonObject, member } from '../../core/json/json.ts'
import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/ports.ts'
import type { ServerEntry } from '../../core/snapshot.ts'
import { openUpstream } from '../../gateway/upstream/index.ts'
import type { Upstream } from '../../gateway/upstream/upstream.ts'
import { type Answer, type Conversation, clientInfo, put } from './question.ts'

/** A server that lists more tools or pages than this is hostile or broken. */
const MAX_TOOLS = 20_000
const MAX_PAGES = 200

/** What a server said of itself, and every tool that it lists. */
export interface Listing {
  readonly ok: true
  readonly name: string
  readonly version: string
  readonly title: string
  readonly instructions: string
  readonly protocol: string
  readonly tools: readonly JsonObject[]
  /** False where the server listed more than is read. */
  readonly isWhole: boolean
}

/** Why a server could not be listed, in one line. */
export interface Unlisted {
  readonly ok: false
  readonly reason: string
}

/** What it takes to reach servers. */
export interface Means {
  readonly clock: Clock
  /** For one server, from its start to the last page. */
  readonly timeoutMs: number
}

/** Starts or contacts a server, asks for every tool, and ends what it started. Never rejects. */
export async function listServer(entry: ServerEntry, means: Means): Promise<Listing | Unlisted> {
  // What a process writes to stderr may hold secrets: nobody is shown it.
  const log: Log = () => {}
  let upstream: Upstream | undefined
  try {
    upstream = openUpstream(entry, { log, clock: means.clock })
    const until = means.clock.now() + means.timeoutMs
    const left = (): number => Math.max(1, until - means.clock.now())
    const result = await converse(upstream, left)
    return typeof result === 'string' ? { ok: false, reason: result } : result
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'unknown error' }
  } finally {
    await upstream?.close().catch(() => {})
  }
}

const TIMED_OUT = 'it did not answer in time'

/** Speaks as a client with sessions; the upstream bridges to a server of the other era. */
async function converse(upstream: Upstream, left: () => number): Promise<Listing | string> {
  const talk: Conversation = {
    upstream,
    era: 'legacy',
    session: undefined,
    protocolVersion: undefined,
  }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: clientInfo() }
  const answer = await put(talk, { id: 'scan-1', method: 'initialize', params }, left())
  const result = resultOf(answer)
  if (typeof result === 'string') return result
  const protocolVersion = textOf(result, 'protocolVersion')
  if (protocolVersion === '') return 'it answered `initialize` without a protocol version'
  const open = { ...talk, session: answer.session, protocolVersion }
  await put(open, { method: 'notifications/initialized', params: {} }, left())
  const listing = await listTools(open, result, left)
  const { session } = answer
  await upstream
    .endSession({ era: 'legacy', protocolVersion, session, grantId: 'scan', headers: [] })
    .catch(() => {})
  return listing
}

async function listTools(
  talk: Conversation,
  hello: JsonObject,
  left: () => number,
): Promise<Listing | string> {
  const tools: JsonObject[] = []
  const cursors = new Set<string>()
  let cursor: string | undefined
  let isWhole = true
  for (let page = 1; ; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const answer = await put(
      talk,
      { id: `scan-list-${page}`, method: 'tools/list', params },
      left(),
    )
    // A server without tools may not know the method.
    if (page === 1 && errorCode(answer) === -32601) break
    const result = resultOf(answer)
    if (typeof result === 'string') return result
    const listed = member(result, 'tools')
    if (!Array.isArray(listed)) return 'its answer to `tools/list` holds no list of tools'
    tools.push(...(listed as readonly Json[]).filter(isObject).slice(0, MAX_TOOLS - tools.length))
    const next = member(result, 'nextCursor')
    if (typeof next !== 'string' || next === '') break
    if (cursors.has(next) || page >= MAX_PAGES || tools.length >= MAX_TOOLS) {
      isWhole = false
      break
    }
    cursors.add(next)
    cursor = next
  }
  const meta = member(hello, '_meta')
  const info =
    member(hello, 'serverInfo') ??
    (isObject(meta) ? member(meta, 'io.modelcontextprotocol/serverInfo') : undefined)
  const about: JsonObject = isObject(info) ? info : {}
  return {
    ok: true,
    name: textOf(about, 'name'),
    version: textOf(about, 'version'),
    title: textOf(about, 'title'),
    instructions: textOf(hello, 'instructions'),
    protocol: talk.protocolVersion ?? '',
    tools,
    isWhole,
  }
}

const textOf = (from: JsonObject, key: string): string => {
  const value = member(from, key)
  return typeof value === 'string' ? value : ''
}

const errorOf = ({ message }: Answer): JsonObject | undefined => {
  const error = message === undefined ? undefined : member(message, 'error')
  return isObject(error) ? error : undefined
}

const errorCode = (answer: Answer): Json | undefined => {
  const error = errorOf(answer)
  return error === undefined ? undefined : member(error, 'code')
}

/** The result of an answer, or what is wrong with it. */
function resultOf(answer: Answer): JsonObject | string {
  const { failure, message, status } = answer
  if (failure?.code === 'upstream_timeout') return TIMED_OUT
  if (failure?.code === 'upstream_lost')
    return `${failure.message}; run the command by hand to see why`
  if (failure !== undefined) return failure.message
  const result = message === undefined ? undefined : member(message, 'result')
  if (isObject(result)) return result
  if (status === 401 || status === 403) return `it wants a credential (${status})`
  if (status >= 300 && status < 400) return `it sends elsewhere (${status})`
  const error = errorOf(answer)
  if (error !== undefined) return `it answered with an error (${String(member(error, 'code'))})`
  return status === 0 || status === 200
    ? 'it answered with something that is not MCP'
    : `it answered with status ${status}`
}
