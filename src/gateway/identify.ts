import { hash } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { Instant } from '../core/instant.ts'
import type { Grant, Snapshot } from '../core/snapshot.ts'

const MAX_CREDENTIAL = 512
const BEARER = /^Bearer ([!-~]+)$/i

/** The last credential of a connection and its digest: a client sends the same one again and again. */
interface Presented {
  readonly authorization: string
  readonly digest: string
}
const presented = new WeakMap<object, Presented>()

/**
 * The live grant of an `Authorization` header. Only the credential's digest is ever looked up; it is
 * remembered with the connection, and the grant is looked up for every request.
 * @throws GatewayError `grant_missing`, `grant_unknown`, `grant_expired`.
 */
export function identify(
  snapshot: Snapshot,
  authorization: string | undefined,
  at: Instant,
  connection: object,
): Grant {
  if (authorization === undefined) throw new GatewayError('grant_missing')
  let known = presented.get(connection)
  if (known?.authorization !== authorization) {
    known = { authorization, digest: digestOf(authorization) }
    presented.set(connection, known)
  }
  const grant = snapshot.grants.get(known.digest)
  if (grant === undefined) throw new GatewayError('grant_unknown')
  if (!isLive(grant, at)) throw new GatewayError('grant_expired')
  return grant
}

function digestOf(authorization: string): string {
  const credential =
    authorization.length > MAX_CREDENTIAL ? undefined : BEARER.exec(authorization)?.[1]
  if (credential === undefined)
    throw new GatewayError('grant_missing', 'expected `Authorization: Bearer <token>`')
  return hash('sha256', credential, 'hex')
}

/** True while a grant may be used. */
export const isLive = (grant: Grant, at: Instant): boolean =>
  (grant.notBefore === undefined || at >= grant.notBefore) &&
  (grant.expiresAt === undefined || at < grant.expiresAt)
