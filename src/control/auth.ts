import { createHash, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../core/contract/problem.ts'

const longestHeader = 1024

/** Passes when the `Authorization` header holds the admin token; else throws what to answer. */
export function checkToken(header: string | undefined, digest: string): void {
  const match = /^Bearer +([\x21-\x7e]+)$/i.exec((header ?? '').slice(0, longestHeader))
  if (match === null)
    throw new ApiError('token_missing', 'send `Authorization: Bearer <admin token>`')
  const presented = createHash('sha256')
    .update(match[1] ?? '')
    .digest()
  const wanted = Buffer.from(digest, 'hex')
  // Digests have one length, so that neither length nor content shows in the time it takes.
  if (wanted.length !== presented.length || !timingSafeEqual(wanted, presented))
    throw new ApiError('token_wrong')
}
