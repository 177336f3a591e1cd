import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import { type Askable, askableOf } from '../../core/mcp/asking.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { isLegacyVersion, isModernVersion, META_KEYS } from '../../core/mcp/revisions.ts'

/** What a stateless request says of itself. */
export interface ModernClaim {
  readonly version: string
  readonly client: { readonly name: string; readonly version: string }
  readonly envelope: JsonObject
}

const NO_META: JsonObject = {}

/**
 * The claim of a stateless request; undefined for a frame of the era with sessions. The body
 * decides: a header alone never makes a request stateless, and never makes it anything else.
 * @throws GatewayError when header and body disagree, or when the claim is incomplete.
 */
export function modernClaim(frame: Frame, header: string | undefined): ModernClaim | undefined {
  const given = frame.kind === 'response' ? undefined : member(frame.params, '_meta')
  const meta = isObject(given) ? given : NO_META
  const version = member(meta, META_KEYS.version)
  if (version === undefined) {
    if (header !== undefined && isModernVersion(header))
      throw frame.kind === 'response'
        ? new GatewayError('response_unexpected')
        : new GatewayError('params_invalid', `\`_meta["${META_KEYS.version}"]\` is missing`)
    return undefined
  }
  return claimOf(meta, version, header)
}

/** True for a message that says its revision itself, as those of the stateless era do. */
export function namesRevision(frame: Frame): boolean {
  const meta = frame.kind === 'response' ? undefined : member(frame.params, '_meta')
  return isObject(meta) && member(meta, META_KEYS.version) !== undefined
}

function claimOf(meta: JsonObject, version: unknown, header: string | undefined): ModernClaim {
  if (typeof version !== 'string')
    throw new GatewayError('params_invalid', `\`_meta["${META_KEYS.version}"]\` must be a string`)
  if (header !== version)
    throw new GatewayError(
      'header_mismatch',
      header === undefined
        ? 'MCP-Protocol-Version is missing'
        : 'MCP-Protocol-Version is not the version in the body',
    )
  if (!isModernVersion(version)) throw new GatewayError('version_unsupported', short(version))
  if (!isObject(member(meta, META_KEYS.capabilities)))
    throw new GatewayError('params_invalid', `\`_meta["${META_KEYS.capabilities}"]\` is missing`)
  return { version, client: clientOf(member(meta, META_KEYS.client)), envelope: meta }
}

const MAX_CLIENT = 128
const short = (text: unknown): string => (typeof text === 'string' ? text.slice(0, MAX_CLIENT) : '')

/** What the client that opens a session can be asked. */
export const askableIn = (frame: Frame): readonly Askable[] =>
  frame.kind === 'request' ? askableOf(member(frame.params, 'capabilities')) : []

/** What a client says of itself, bounded; empty where it says nothing. */
export const clientOf = (info: unknown): { name: string; version: string } =>
  isObject(info)
    ? { name: short(member(info, 'name')), version: short(member(info, 'version')) }
    : { name: '', version: '' }

/**
 * Refuses a header that names no revision with sessions.
 * @throws GatewayError `request_refused`.
 */
export function requireLegacyHeader(header: string | undefined): void {
  if (header !== undefined && !isLegacyVersion(header))
    throw new GatewayError('request_refused', 'MCP-Protocol-Version names no version served here')
}
