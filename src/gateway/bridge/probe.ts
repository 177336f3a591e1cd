import { isObject, member } from '../../core/json/json.ts'
import { LEGACY_VERSIONS, META_KEYS, MODERN_VERSIONS } from '../../core/mcp/revisions.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { ACCEPT, type Around, type Asked, ask, requestFrame, resultOf } from './ask.ts'

/** The revision that the gateway itself asks for. */
export const NEWEST_LEGACY = LEGACY_VERSIONS.at(-1) as (typeof LEGACY_VERSIONS)[number]
const [MODERN] = MODERN_VERSIONS
/** Who the gateway says it is where no client stands behind the question. */
export const OURSELVES = { name: 'sallyport', version: '1' }

const PROBE_MS = 10_000
/** Whose exchange it is: no grant's. */
const NOBODY = '(probe)'

/** What a server says of the stateless era: spoken, not spoken, or nothing that tells. */
export type ModernVerdict = 'spoken' | 'not spoken' | 'silent'

const around = (era: 'legacy' | 'modern'): Around => ({
  era,
  protocolVersion: era === 'modern' ? MODERN : NEWEST_LEGACY,
  session: undefined,
  grantId: NOBODY,
  headers: ACCEPT,
})

/**
 * Asks a server whether it speaks the stateless era. No single error code decides: whatever is not
 * a list of versions with ours in it is no, unless the server could not be asked at all. A process
 * may also answer by ending, or by saying nothing.
 */
export async function askModern(
  upstream: Upstream,
  kind: 'remote' | 'process',
): Promise<ModernVerdict> {
  const meta = {
    [META_KEYS.version]: MODERN,
    [META_KEYS.client]: OURSELVES,
    [META_KEYS.capabilities]: {},
  }
  const frame = requestFrame('sallyport-probe', 'server/discover', { _meta: meta })
  const asked = await ask(upstream, around('modern'), frame, PROBE_MS)
  const versions = supportedBy(asked)
  if (versions !== undefined) return versions.includes(MODERN) ? 'spoken' : 'not spoken'
  return wasAnswered(asked, kind) ? 'not spoken' : 'silent'
}

/** True when a server opens a session; the session is ended again. */
export async function askLegacy(upstream: Upstream): Promise<boolean> {
  const params = { protocolVersion: NEWEST_LEGACY, capabilities: {}, clientInfo: OURSELVES }
  const frame = requestFrame('sallyport-probe', 'initialize', params)
  const asked = await ask(upstream, around('legacy'), frame, PROBE_MS)
  const { session } = asked
  if (session !== undefined)
    void upstream.endSession({ ...around('legacy'), session }).catch(() => {})
  const result = resultOf(asked)
  return result !== undefined && typeof member(result, 'protocolVersion') === 'string'
}

/** The versions that a server names, in its result or in its refusal of a version. */
function supportedBy(asked: Asked): readonly unknown[] | undefined {
  const result = resultOf(asked)
  const versions =
    result === undefined ? supportedInstead(asked) : member(result, 'supportedVersions')
  return Array.isArray(versions) ? versions : undefined
}

function supportedInstead({ message }: Asked): unknown {
  const error = message === undefined ? undefined : member(message, 'error')
  const data = isObject(error) ? member(error, 'data') : undefined
  return isObject(data) ? member(data, 'supported') : undefined
}

/** Did the server take the question and answer, with whatever? */
function wasAnswered({ message, failure }: Asked, kind: 'remote' | 'process'): boolean {
  if (failure === undefined) return isObject(message)
  switch (failure.code) {
    case 'upstream_broken':
    case 'verb_refused':
    case 'version_unsupported':
    case 'session_unknown':
    case 'session_missing':
      return true
    case 'upstream_lost':
    case 'upstream_timeout':
      return kind === 'process'
    default:
      return false
  }
}
