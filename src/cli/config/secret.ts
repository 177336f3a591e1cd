import { createHash } from 'node:crypto'

/** The SHA-256 of a token, lower-case hex: all of it that is kept. */
export const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * The id of something that the file names: the same on every start, so that counters and records
 * stay with it. It has the shape of a UUIDv7 at time zero; the rest is a digest of kind and name.
 */
export function fileId(kind: string, name: string): string {
  const hex = createHash('sha256')
    .update(JSON.stringify(['sallyport', kind, name]))
    .digest('hex')
  const variant = '89ab'[Number.parseInt(hex.slice(3, 4), 16) % 4]
  return `00000000-0000-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`
}
