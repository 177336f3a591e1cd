import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import { META_KEYS } from '../../core/mcp/revisions.ts'
import type { Grant, Snapshot, StackEntry } from '../../core/snapshot.ts'
import { clientOf } from '../downstream/era.ts'
import type { Caller, OpenServer } from '../gate.ts'
import type { Servers } from '../servers.ts'
import type { UpstreamRequest } from '../upstream/upstream.ts'

/** Whose stack it is, as of now: the same for a whole exchange. */
export interface StackView {
  readonly entry: StackEntry
  /** The stack as the pipeline would hold a server. */
  readonly self: OpenServer
  readonly grant: Grant
  readonly snapshot: Snapshot
}

/** A member of a stack as one grant meets it. */
export interface Member {
  readonly name: string
  readonly grant: Grant
  readonly server: OpenServer
}

/** The names of the members that the grant has a policy for: of the others it sees nothing at all. */
export const namesShown = ({ entry, grant }: Pick<StackView, 'entry' | 'grant'>) =>
  entry.servers.filter((name) => grantFor(grant, name).policy !== undefined)

/** The members that the grant sees and that are configured, in the order of lists. */
export const membersShown = (view: StackView, servers: Servers): readonly Member[] =>
  namesShown(view).flatMap((name) => memberOf(view, servers, name) ?? [])

/** The member of this name; undefined when the stack has none. */
export function memberOf(view: StackView, servers: Servers, name: string): Member | undefined {
  const entry = view.entry.servers.includes(name) ? view.snapshot.servers.get(name) : undefined
  // By name alone: an id would be a second name for the same tools.
  if (entry?.name !== name) return undefined
  return { name, grant: grantFor(view.grant, name), server: servers.of(entry) }
}

/** The grant of a stack as one member sees it: the same credential, under that member's policy. */
export function grantFor(grant: Grant, member: string): Grant {
  const own = grant.stack?.policies
  const policy = own?.has(member) === true ? own.get(member) : grant.policy
  return { ...grant, server: member, policy }
}

/** Who sends a stateless frame to a member, over which connection. */
export function callerOf(request: UpstreamRequest, { grant, server }: Member): Caller {
  const { headers, protocolVersion } = request
  const params = new Map<string, string>()
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (headers[i]?.startsWith('mcp-param-'))
      params.set(headers[i] as string, headers[i + 1] as string)
  return {
    grant,
    server,
    headers,
    protocolVersion,
    era: 'modern',
    session: undefined,
    client: clientIn(request.frame as RequestFrame),
    envelope: envelopeOf(request.frame as RequestFrame),
    mirrors: { method: undefined, name: undefined, params },
  }
}

/** What a stateless request says of its client. */
export function clientIn(frame: RequestFrame): Caller['client'] {
  return clientOf(member(envelopeOf(frame), META_KEYS.client))
}

function envelopeOf(frame: RequestFrame): JsonObject {
  const meta = member(frame.params, '_meta')
  return isObject(meta) ? meta : {}
}
