import { GatewayError } from '../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../core/json/json.ts'
import type { Frame } from '../../core/mcp/frame-model.ts'
import { META_KEYS } from '../../core/mcp/revisions.ts'
import type {
  Era,
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
} from '../../gateway/upstream/upstream.ts'
import { packageVersion } from '../version.ts'

/** The largest answer that is read. */
const MAX_ANSWER = 32 << 20
const VERSIONS = { legacy: '2025-11-25', modern: '2026-07-28' } as const

/** What came back for one request. */
export interface Answer {
  readonly status: number
  readonly session: string | undefined
  /** The whole message; undefined where none came. */
  readonly message: JsonObject | undefined
  readonly failure: GatewayError | undefined
}

/** A conversation with one server in one era. */
export interface Conversation {
  readonly upstream: Upstream
  readonly era: Era
  readonly session: string | undefined
  /** What the server agreed to, once it has. */
  readonly protocolVersion: string | undefined
}

/** Who we say we are. */
export const clientInfo = () => ({ name: 'sallyport-scan', version: packageVersion() })

/** Sends one message and resolves with its answer, or with what went wrong; never rejects. */
export function put(
  talk: Conversation,
  message: { readonly id?: string; readonly method: string; readonly params: JsonObject },
  timeoutMs: number,
): Promise<Answer> {
  const protocolVersion = talk.protocolVersion ?? VERSIONS[talk.era]
  const params: JsonObject =
    talk.era === 'modern' ? { ...message.params, _meta: metaOf(protocolVersion) } : message.params
  const text = JSON.stringify({ jsonrpc: '2.0', ...message, params })
  const { id, method } = message
  const frame: Frame =
    id === undefined
      ? { kind: 'notification', method, params, text }
      : { kind: 'request', id, method, params, text }
  return new Promise((resolve) => {
    const exchange = talk.upstream.exchange(
      {
        frame,
        bytes: Buffer.from(text),
        era: talk.era,
        protocolVersion,
        session: talk.session,
        grantId: 'scan',
        headers: headersOf(talk, method, protocolVersion),
      },
      gather(id, (answer) => {
        clearTimeout(limit)
        resolve(answer)
      }),
    )
    const limit = setTimeout(() => {
      exchange.cancel()
      resolve({ ...nothing, failure: new GatewayError('upstream_timeout') })
    }, timeoutMs)
  })
}

const nothing: Answer = { status: 0, session: undefined, message: undefined, failure: undefined }

const metaOf = (protocolVersion: string): JsonObject => ({
  [META_KEYS.version]: protocolVersion,
  [META_KEYS.client]: clientInfo(),
  [META_KEYS.capabilities]: {},
})

function headersOf(talk: Conversation, method: string, version: string): readonly string[] {
  const accept = ['accept', 'application/json, text/event-stream']
  if (talk.era === 'modern')
    return [...accept, 'mcp-protocol-version', version, 'mcp-method', method]
  return talk.protocolVersion === undefined ? accept : [...accept, 'mcp-protocol-version', version]
}

/** Collects the message that answers `id`, whether it comes as a body or as one of a stream. */
function gather(id: string | undefined, done: (answer: Answer) => void): ReplySink {
  let head: Head | undefined
  let size = 0
  const chunks: Uint8Array[] = []
  let found: JsonObject | undefined
  const isOurs = (text: string): boolean => {
    const message = parse(text)
    if (message === undefined || id === undefined || member(message, 'id') !== id) return false
    found = message
    return true
  }
  const answer = (failure: GatewayError | undefined): void =>
    done({ status: head?.status ?? 0, session: head?.session, message: found, failure })
  return {
    head: (h) => {
      head = h
    },
    chunk: (bytes) => {
      size += bytes.length
      if (size <= MAX_ANSWER) chunks.push(bytes)
      return true
    },
    event: ({ data }: UpstreamEvent) => {
      size += data.length
      // A stream may stay open behind the answer: nobody needs to wait for its end.
      if (size <= MAX_ANSWER && data !== '' && isOurs(data)) answer(undefined)
      return true
    },
    end: () => {
      if (head?.kind === 'json' && size <= MAX_ANSWER)
        isOurs(Buffer.concat(chunks).toString('utf8'))
      answer(size > MAX_ANSWER ? new GatewayError('upstream_broken') : undefined)
    },
    fail: (failure) => answer(failure),
    onDrain: () => {},
  }
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
