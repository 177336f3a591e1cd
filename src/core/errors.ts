/**
 * Every error that can reach a peer: HTTP status, JSON-RPC code, message. The stable name is the
 * key, sent as `error.data.code`; `docs/errors.md` explains each.
 */
export const catalogue = {
  frame_invalid: { http: 400, rpc: -32600, message: 'not a JSON-RPC message' },
  frame_not_json: { http: 400, rpc: -32700, message: 'not JSON' },
  frame_too_large: { http: 413, rpc: -32600, message: 'the message is too large' },
  params_invalid: { http: 400, rpc: -32602, message: 'invalid params' },
  media_type_unsupported: {
    http: 415,
    rpc: -32600,
    message: 'the body must be application/json without a content encoding',
  },
  header_mismatch: { http: 400, rpc: -32020, message: 'a header and the body disagree' },
  version_unsupported: { http: 400, rpc: -32022, message: 'unsupported protocol version' },
  capability_missing: {
    http: 400,
    rpc: -32021,
    message: 'the client does not declare a capability that this needs',
  },
  method_unknown: { http: 200, rpc: -32601, message: 'method not found' },
  cursor_unknown: { http: 200, rpc: -32602, message: 'no such place in this list' },
  tool_unknown: { http: 200, rpc: -32602, message: 'unknown tool' },
  host_refused: { http: 403, rpc: -32600, message: 'this Host is not served here' },
  origin_refused: { http: 403, rpc: -32600, message: 'this Origin may not call the gateway' },
  request_refused: { http: 400, rpc: -32600, message: 'the HTTP request is not acceptable' },
  not_found: { http: 404, rpc: -32600, message: 'nothing is served here' },
  verb_refused: { http: 405, rpc: -32600, message: 'this HTTP method is not served here' },
  grant_missing: { http: 401, rpc: -32600, message: 'no credential was presented' },
  grant_unknown: { http: 401, rpc: -32600, message: 'the credential is not known' },
  grant_expired: { http: 401, rpc: -32600, message: 'the credential is not valid at this time' },
  grant_elsewhere: {
    http: 403,
    rpc: -32600,
    message: 'the credential is for another server or stack',
  },
  session_missing: {
    http: 400,
    rpc: -32600,
    message: 'this request needs a session: initialize first',
  },
  session_unknown: { http: 404, rpc: -32600, message: 'no such session: initialize again' },
  response_unexpected: {
    http: 400,
    rpc: -32600,
    message: 'no request of the server waits for this response',
  },
  too_busy: { http: 503, rpc: -32603, message: 'too many requests are waiting' },
  store_unavailable: { http: 503, rpc: -32603, message: 'the store does not answer' },
  input_missing: { http: 200, rpc: -32603, message: 'the server was not told what it asked for' },
  upstream_unreachable: { http: 502, rpc: -32603, message: 'the server can not be reached' },
  upstream_broken: {
    http: 502,
    rpc: -32603,
    message: 'the server answered with something that is not MCP',
  },
  upstream_lost: { http: 502, rpc: -32603, message: 'the server went away before it answered' },
  upstream_timeout: { http: 504, rpc: -32603, message: 'the server did not answer in time' },
  internal: { http: 500, rpc: -32603, message: 'internal error' },
} as const satisfies Record<string, { http: number; rpc: number; message: string }>

/** The stable name of an error. */
export type ErrorCode = keyof typeof catalogue

/** An error that may be shown to a peer. The cause never is: it goes to the log. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  /** What the peer already knows or may know; one line. */
  readonly detail: string | undefined
  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown }) {
    super(
      detail === undefined ? catalogue[code].message : `${catalogue[code].message}: ${detail}`,
      options,
    )
    this.code = code
    this.detail = detail
  }
}

/** Any thrown value as an error that may be shown; what is not ours becomes `internal`. */
export const asGatewayError = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError
    ? thrown
    : new GatewayError('internal', undefined, { cause: thrown })
