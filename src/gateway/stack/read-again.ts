import { GatewayError } from '../../core/errors.ts'
import { parseFrame } from '../../core/mcp/frame.ts'
import type { Upstream } from '../upstream/upstream.ts'

/**
 * Reads every frame anew before it is judged. A bridge writes texts, and its values may hold less
 * than the text says; what is judged must be what the server gets.
 */
export const readAgain = (inner: Upstream): Upstream => ({
  ...inner,
  exchange(request, sink) {
    const read = parseFrame(request.frame.text)
    if (read.ok)
      return inner.exchange(
        { ...request, frame: read.frame, bytes: Buffer.from(read.frame.text, 'utf8') },
        sink,
      )
    sink.fail(new GatewayError(read.code, read.detail), false)
    return { cancel() {} }
  },
})
