import { GatewayError } from '../../../core/errors.ts'
import { exactText } from '../../../core/json/exact-text.ts'
import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import { parseNodes, toValue } from '../../../core/json/parse.ts'
import type { Clock } from '../../../core/ports.ts'
import { makeRoom } from '../../bounded.ts'
import { type Ask, VERSION } from './stamp.ts'

/** What a server says of itself. */
export interface Discovered {
  readonly capabilities: JsonObject
  readonly instructions: Json | undefined
  readonly serverInfo: JsonObject
}

const MAX_GRANTS = 1_000
const MIN_TTL_MS = 5_000
const MAX_TTL_MS = 600_000
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'
const TASKS = 'io.modelcontextprotocol/tasks'

/** What the server said of itself, by grant: it may say other things to others. */
export class Discovery {
  readonly #clock: Clock
  readonly #known = new Map<string, { until: number; found: Promise<Discovered> }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws GatewayError when the server does not say, or does not speak our revision. */
  async of(grantId: string, ask: Ask): Promise<Discovered> {
    const known = this.#known.get(grantId)
    if (known !== undefined && known.until > this.#clock.now()) return known.found
    makeRoom(this.#known, MAX_GRANTS)
    const entry = { until: Number.POSITIVE_INFINITY, found: Promise.resolve(NOTHING) }
    entry.found = discover(ask).then(({ found, ttlMs }) => {
      entry.until = this.#clock.now() + Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlMs))
      return found
    })
    this.#known.set(grantId, entry)
    try {
      return await entry.found
    } catch (thrown) {
      if (this.#known.get(grantId) === entry) this.#known.delete(grantId)
      throw thrown
    }
  }

  /** Forgets what a grant was told: the server is not what it was. */
  forget(grantId: string): void {
    this.#known.delete(grantId)
  }
}

const NOTHING: Discovered = { capabilities: {}, instructions: undefined, serverInfo: {} }

async function discover(ask: Ask): Promise<{ found: Discovered; ttlMs: number }> {
  const text = await ask('server/discover', {})
  const message = toValue(parseNodes(text))
  const result = isObject(message) ? member(message, 'result') : undefined
  if (!isObject(result))
    throw new GatewayError('upstream_broken', 'it does not answer `server/discover`')
  const versions = member(result, 'supportedVersions')
  if (!Array.isArray(versions) || !versions.includes(VERSION))
    throw new GatewayError('upstream_broken', `it does not speak ${VERSION}`)
  const capabilities = member(result, 'capabilities')
  const meta = member(result, '_meta')
  const named = isObject(meta) ? member(meta, SERVER_INFO) : undefined
  const serverInfo = named ?? member(result, 'serverInfo')
  const ttlMs = member(result, 'ttlMs')
  return {
    found: {
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: member(result, 'instructions'),
      serverInfo: isObject(serverInfo) ? serverInfo : { name: 'server', version: '' },
    },
    ttlMs: typeof ttlMs === 'number' ? ttlMs : 0,
  }
}

/** The answer to `initialize`, as JSON text. */
export const initializeResult = (found: Discovered, version: string): string =>
  exactText({
    protocolVersion: version,
    capabilities: sessionCapabilities(found.capabilities),
    serverInfo: { name: 'server', version: '', ...found.serverInfo },
    ...(typeof found.instructions === 'string' ? { instructions: found.instructions } : {}),
  })

/** Capabilities as a session may use them: the tasks of the stateless era are not among them. */
function sessionCapabilities(capabilities: JsonObject): JsonObject {
  const { tasks: _, extensions, ...rest } = capabilities
  if (!isObject(extensions)) return rest
  const { [TASKS]: __, ...others } = extensions
  return Object.keys(others).length === 0 ? rest : { ...rest, extensions: others }
}
