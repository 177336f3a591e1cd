import { hash } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { Instant } from '../core/instant.ts'
import type { Grant, Snapshot } from '../core/snapshot.ts'

const MAX_CREDENTIAL = 512
const BEARER = /^Bearer ([!-~]+)$/i

/**
 * The live grant of an `Authorization` header. Only the credential's digest is ever looked up.
 * @throws GatewayError `grant_missing`, `grant_unknown`, `grant_expired`.
 */
export function identify(
  snapshot: Snapshot,
  authorization: string | undefined,
  at: Instant,
): Grant {
  if (authorization === undefined) throw new GatewayError('grant_missing')
  const credential =
    authorization.length > MAX_CREDENTIAL ? undefined : BEARER.exec(authorization)?.[1]
  if (credential === undefined)
    throw new GatewayError('grant_missing', 'expected `Authorization: Bearer <token>`')
  const grant = snapshot.grants.get(hash('sha256', credential, 'hex'))
  if (grant === undefined) throw new GatewayError('grant_unknown')
  if (!isLive(grant, at)) throw new GatewayError('grant_expired')
  return grant
}

/** True while a grant may be used. */
export const isLive = (grant: Grant, at: Instant): boolean =>
  (grant.notBefore === undefined || at >= grant.notBefore) &&
  (grant.expiresAt === undefined || at < grant.expiresAt)
