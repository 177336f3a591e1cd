import { catalogue, type GatewayError } from '../errors.ts'
import type { FrameId } from './frame-model.ts'
import { MODERN_VERSIONS, TASKS_EXTENSION } from './revisions.ts'

/** The `_meta` key under which a caller finds why its call was refused. */
export const DECISION_META = 'sallyport.dev/decision'

/** Why a call was refused, as the caller sees it. */
export interface Denial {
  readonly rule: string
  readonly message: string
  /** Seconds after which the same call may fit, for limits. */
  readonly retryAfterSeconds?: number
}

/** What shapes a gateway-made message: the reader's revision of the protocol. */
export interface Reader {
  readonly isModern: boolean
  readonly protocolVersion: string
}

/** A refused tools/call: an ordinary result that the model can read and act on. */
export function denialReply(id: FrameId, denial: Denial, reader: Reader): string {
  const { rule, message, retryAfterSeconds } = denial
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: {
      ...(reader.isModern ? { resultType: 'complete' } : {}),
      content: [{ type: 'text', text: `[POLICY DENIED] ${message}` }],
      isError: true,
      _meta: {
        [DECISION_META]: {
          effect: 'deny',
          rule,
          message,
          ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
        },
      },
    },
  })
}

/** A refused prompt or resource: these have no error result, so it is a JSON-RPC error of our own code. */
export const itemDenialReply = (id: FrameId, denial: Denial): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: {
      code: 4031,
      message: `[POLICY DENIED] ${denial.message}`,
      data: { code: 'policy_denied', ...denial },
    },
  })

/** The answer for a tool that does not exist, or that the caller may not know of: the same bytes. */
export const unknownReply = (
  id: FrameId,
  what: 'tool' | 'prompt' | 'resource',
  name: string,
): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: { code: -32602, message: `Unknown ${what}: ${name}` },
  })

/** What the protocol wants in the data of some errors. */
const more = ({ code, detail }: GatewayError): object => {
  if (code === 'version_unsupported') return { supported: MODERN_VERSIONS, requested: detail }
  if (code === 'capability_missing') return { requiredCapabilities: TASKS_CAPABILITY }
  return {}
}

/** The one capability that the gateway itself asks for. */
const TASKS_CAPABILITY = { extensions: { [TASKS_EXTENSION]: {} } }

/** An error as a JSON-RPC message; without a readable id it has none (older revisions: null). */
export function errorReply(id: FrameId | undefined, error: GatewayError, reader: Reader): string {
  const needsId = !reader.isModern && reader.protocolVersion < '2025-11-25'
  return JSON.stringify({
    jsonrpc: '2.0',
    ...(id !== undefined ? { id } : needsId ? { id: null } : {}),
    error: {
      code: catalogue[error.code].rpc,
      message: error.message,
      data: {
        code: error.code,
        ...more(error),
      },
    },
  })
}
