import { randomBytes } from 'node:crypto'
import type { Json } from '../core/json/json.ts'
import type { ListMethod } from '../core/mcp/list.ts'
import type { Caller, Gate } from './gate.ts'

/** Where a client stands in a list of its server. */
export interface Place {
  /** The server's own cursor; undefined at the beginning. */
  readonly cursor: string | undefined
  /** Tells one reading of the list, from its first page on, from every other. */
  readonly reading: string
}

/** A new reading of a list. */
export const beginning = (): Place => ({
  cursor: undefined,
  reading: randomBytes(9).toString('base64url'),
})

const isText = (value: Json | undefined): value is string => typeof value === 'string'

/**
 * A place as a client may hold it: it says nothing of the server's cursor, and is good for the grant,
 * the server and the list for which it was given, also after a restart.
 */
export function sealPlace(gate: Gate, caller: Caller, method: ListMethod, place: Place): string {
  const { grant, server } = caller
  return gate.cursors.seal(
    JSON.stringify([grant.id, server.entry.id, method, place.cursor ?? null, place.reading]),
  )
}

/** The place of a cursor; undefined for one that was not given to this caller for this list. */
export function openPlace(
  gate: Gate,
  caller: Caller,
  method: ListMethod,
  sealed: string,
): Place | undefined {
  const text = gate.cursors.open(sealed)
  if (text === undefined) return undefined
  const [grantId, serverId, list, cursor, reading] = JSON.parse(text) as readonly Json[]
  const isMine =
    grantId === caller.grant.id && serverId === caller.server.entry.id && list === method
  return isMine && isText(cursor) && isText(reading) ? { cursor, reading } : undefined
}
