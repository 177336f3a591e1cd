import { GatewayError } from '../../core/errors.ts'

/** The status with which a server refused a request: the cause of the error that tells of it. */
class HttpRefusal extends Error {
  readonly status: number

  constructor(status: number) {
    super(`HTTP ${status}`)
    this.status = status
  }
}

/** An answer that can't be used, of this status. */
export const refusedWith = (status: number, detail = `HTTP ${status}`): GatewayError =>
  new GatewayError('upstream_broken', detail, { cause: new HttpRefusal(status) })

/** The HTTP status behind an error; undefined when the server did not refuse by one. */
export const refusedStatus = ({ cause }: GatewayError): number | undefined =>
  cause instanceof HttpRefusal ? cause.status : undefined

/**
 * Why an answer is not relayed; undefined when it is. The upstream's challenges and redirects are
 * for us, not for the client, and a body that is not MCP never reaches it.
 */
export function refusalOf(
  status: number,
  type: string,
  hasSession: boolean,
): GatewayError | undefined {
  const isMcp = type.startsWith('application/json') || type.startsWith('text/event-stream')
  // The usual answer pays for no error, whose stack is dear.
  if (status < 300)
    return status === 200 && type !== '' && !isMcp
      ? new GatewayError('upstream_broken', 'its answer is neither JSON nor an event stream')
      : undefined
  const because = { cause: new HttpRefusal(status) }
  if (status === 401 || status === 403)
    return new GatewayError(
      'upstream_unreachable',
      `it refused the gateway's credential (HTTP ${status}); check the headers configured for it`,
      because,
    )
  if (status < 400)
    return new GatewayError(
      'upstream_broken',
      `it redirects (HTTP ${status}); configure its final URL`,
      because,
    )
  if (status === 404 && hasSession) return new GatewayError('session_unknown', undefined, because)
  if (status === 405) return new GatewayError('verb_refused', undefined, because)
  return isMcp ? undefined : refusedWith(status)
}

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
])

/** True when a failure of the network happened before the server could take the request. */
export const wasNotSent = (error: { readonly code?: unknown }): boolean =>
  typeof error.code === 'string' && NOT_SENT.has(error.code)
