import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../core/errors.ts'

/** Bytes of a request body. */
export const MAX_BODY = 4 << 20

/** UTF-8 or nothing: a decoder that never repairs, and keeps a BOM for the parser to refuse. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a body whole and gives its text; calls back exactly once, unless the client goes first.
 * The error is a `frame_too_large` or `frame_not_json`.
 */
export function readBody(
  request: IncomingMessage,
  done: (text: string | undefined, error: GatewayError | undefined) => void,
): void {
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let size = 0
  let isOver = false
  const fail = (error: GatewayError): void => {
    isOver = true
    done(undefined, error)
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) {
    fail(new GatewayError('frame_too_large', `at most ${MAX_BODY} bytes`))
    return
  }
  request.on('data', (bytes: Buffer) => {
    if (isOver) return
    size += bytes.length
    if (size > MAX_BODY) fail(new GatewayError('frame_too_large', `at most ${MAX_BODY} bytes`))
    else if (first === undefined) first = bytes
    else {
      more ??= [first]
      more.push(bytes)
    }
  })
  request.on('end', () => {
    if (isOver) return
    isOver = true
    let text: string
    try {
      text = utf8.decode(more === undefined ? first : Buffer.concat(more))
    } catch {
      done(undefined, new GatewayError('frame_not_json', 'the body is not UTF-8'))
      return
    }
    done(text, undefined)
  })
}
