import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../core/errors.ts'

/** A body, or why there is none. */
export type Body =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly text: string }
  | { readonly ok: false; readonly error: GatewayError }

const EMPTY = new Uint8Array(0)

/** Bytes of a request body. */
export const MAX_BODY = 4 << 20

/** UTF-8 or nothing: a decoder that never repairs, and keeps a BOM for the parser to refuse. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a body whole; calls back exactly once, unless the client goes first. The error is a
 * `frame_too_large` or `frame_not_json`.
 */
export function readBody(request: IncomingMessage, done: (body: Body) => void): void {
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let size = 0
  let isOver = false
  const fail = (error: GatewayError): void => {
    isOver = true
    done({ ok: false, error })
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
    const bytes = more === undefined ? (first ?? EMPTY) : Buffer.concat(more)
    done(decode(bytes))
  })
}

function decode(bytes: Uint8Array): Body {
  try {
    return { ok: true, bytes, text: utf8.decode(bytes) }
  } catch {
    return { ok: false, error: new GatewayError('frame_not_json', 'the body is not UTF-8') }
  }
}
