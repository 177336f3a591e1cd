import { randomBytes } from 'node:crypto'
import { GatewayError } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json/json.ts'
import { Collecting } from '../../forward.ts'
import type { Upstream, UpstreamRequest } from '../../upstream/upstream.ts'
import { ownRequest, type Stamp, VERSION } from './stamp.ts'

const TIMEOUT_MS = 10_000

/** What every exchange with the server has in common for one caller. */
export type Around = Omit<UpstreamRequest, 'frame' | 'bytes'>

/** The same caller towards a stateless server: its session stays here, and so do its own headers. */
export function aroundModern(request: Around, mirrored: readonly string[] = []): Around {
  const headers: string[] = ['accept', 'application/json, text/event-stream']
  for (let i = 0; i < request.headers.length; i += 2) {
    const name = request.headers[i] as string
    if (name.startsWith('trace')) headers.push(name, request.headers[i + 1] as string)
  }
  return {
    era: 'modern',
    protocolVersion: VERSION,
    session: undefined,
    grantId: request.grantId,
    headers: mirrored.length === 0 ? headers : headers.concat(mirrored),
  }
}

/**
 * Asks the server something of the gateway's own.
 * @throws GatewayError when it does not answer, or not in time.
 */
export function askOwn(
  inner: Upstream,
  around: Around,
  stamp: Stamp,
  { method, params }: { method: string; params: JsonObject },
): Promise<string> {
  const id = freshId()
  const frame = ownRequest(id, method, params, stamp)
  return new Promise((resolve, reject) => {
    let limit: NodeJS.Timeout | undefined
    const exchange = inner.exchange(
      { ...around, frame, bytes: Buffer.from(frame.text, 'utf8') },
      new Collecting(id, ({ text, failure }) => {
        clearTimeout(limit)
        if (text === undefined)
          reject(failure ?? new GatewayError('upstream_broken', `it does not answer ${method}`))
        else resolve(text)
      }),
    )
    limit = setTimeout(() => {
      exchange.cancel()
      reject(new GatewayError('upstream_timeout'))
    }, TIMEOUT_MS)
  })
}

/** An id that no client would choose. */
export const freshId = (): string => `sallyport-${randomBytes(9).toString('base64url')}`
