import { GatewayError } from '../../core/errors.ts'
import { type JsonNode, parseNodes } from '../../core/json/parse.ts'
import { parseFrame } from '../../core/mcp/frame.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { BATCH_VERSION } from '../../core/mcp/revisions.ts'

const MAX_BATCH = 50

/**
 * The frames of a batch, each with its own text; undefined when this session's revision has none.
 * @throws GatewayError when an element is no frame: then none of them is executed.
 */
export function splitBatch(
  text: string,
  protocolVersion: string | undefined,
): readonly Frame[] | undefined {
  if (protocolVersion !== BATCH_VERSION) return undefined
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  if (root.kind !== 'array' || root.items.length === 0 || root.items.length > MAX_BATCH)
    throw new GatewayError('frame_invalid', `a batch holds 1 to ${MAX_BATCH} messages`)
  const ids = new Set<string | number>()
  return root.items.map((node) => {
    const parsed = parseFrame(text.slice(node.start, node.end))
    if (!parsed.ok) throw new GatewayError(parsed.code, parsed.detail)
    const { frame } = parsed
    if (frame.kind === 'request') {
      if (frame.method === 'initialize')
        throw new GatewayError('frame_invalid', 'initialize is never part of a batch')
      if (ids.has(frame.id)) throw new GatewayError('frame_invalid', 'an id is used twice')
      ids.add(frame.id)
    }
    return frame
  })
}
