import type { FrameId } from '../../core/mcp/frame-model.ts'

/** What the gateway itself says to a process. */
const encode = (message: object): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))

/** Nobody waits for the answer of this request any more. */
export const cancelled = (requestId: FrameId, reason: string): Buffer =>
  encode({ method: 'notifications/cancelled', params: { requestId, reason } })

/** Nobody can answer this request of the server. */
export const declined = (id: FrameId): Buffer =>
  encode({ id, error: { code: -32601, message: 'no client can be asked here' } })
