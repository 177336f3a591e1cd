import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import type { FrameId, RequestFrame } from '../../../core/mcp/frame-model.ts'
import { META_KEYS, MODERN_VERSIONS } from '../../../core/mcp/revisions.ts'
import { rewriteObject, skimMembers, skimObject, textOf } from '../../upstream/skim.ts'
import type { SessionFacts } from './session-id.ts'

/** The revision that is spoken upstream. */
export const VERSION = MODERN_VERSIONS[0]

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'

/** Members of `params` that only the stateless era has, or that ask for what is not declared. */
const NOT_OURS = new Set(['_meta', 'task', 'requestState', 'inputResponses'])
const RESERVED = new Set<string>([...Object.values(META_KEYS), LOG_LEVEL])

/** What every request of a session says of itself. */
export interface Stamp {
  /** Members of `_meta`, as JSON text without the braces. */
  readonly text: string
  readonly level: string | undefined
}

/** The stamp of a session whose client wants log messages from `level` on. */
export function stampOf(facts: SessionFacts, level: string | undefined): Stamp {
  const parts = [
    `${JSON.stringify(META_KEYS.version)}:${JSON.stringify(VERSION)}`,
    `${JSON.stringify(META_KEYS.client)}:${facts.client}`,
    `${JSON.stringify(META_KEYS.capabilities)}:${facts.capabilities}`,
    ...(level === undefined ? [] : [`${JSON.stringify(LOG_LEVEL)}:${JSON.stringify(level)}`]),
  ]
  return { text: parts.join(','), level }
}

/**
 * A frame of a session as a stateless one: the very text that was judged, with the stamp in `_meta`.
 * Nothing that a client may not say for itself stays beside it.
 */
export function stamped(frame: RequestFrame, stamp: Stamp): RequestFrame {
  const { text } = frame
  const root = skimMembers(text)
  const params = root.findLast((member) => member.key === 'params')
  const last = root.at(-1)
  if (last === undefined) return frame
  const meta = params === undefined ? undefined : skimObject(text, params.start).get('_meta')
  const own =
    meta === undefined
      ? `{${stamp.text}}`
      : rewriteObject(
          text,
          meta.start,
          (m) => (RESERVED.has(m.key) ? undefined : textOf(text, m)),
          [stamp.text],
        )
  const more = [`"_meta":${own}`]
  return {
    ...frame,
    params: { ...frame.params, _meta: metaValue(frame.params, stamp) },
    text:
      params === undefined
        ? `${text.slice(0, last.end)},"params":{${more[0]}}${text.slice(last.end)}`
        : text.slice(0, params.start) +
          rewriteObject(
            text,
            params.start,
            (m) => (NOT_OURS.has(m.key) ? undefined : textOf(text, m)),
            more,
          ) +
          text.slice(params.end),
  }
}

/** What of `_meta` those read who carry the frame. */
const metaValue = (params: JsonObject, { level }: Stamp): JsonObject => {
  const given = member(params, '_meta')
  const token = isObject(given) ? member(given, 'progressToken') : undefined
  const out: Record<string, Json> = {}
  if (token !== undefined) out.progressToken = token
  if (level !== undefined) out[LOG_LEVEL] = level
  return out
}

/** A further round of a stamped call: the same but for its id, with what the client has answered. */
export function continued(
  frame: RequestFrame,
  id: FrameId,
  round: { readonly responses: string | undefined; readonly state: string | undefined },
): RequestFrame {
  const { text } = frame
  const more = [
    ...(round.responses === undefined ? [] : [`"inputResponses":${round.responses}`]),
    ...(round.state === undefined ? [] : [`"requestState":${round.state}`]),
  ]
  const next = rewriteObject(text, 0, (m) => {
    if (m.key === 'id') return JSON.stringify(id)
    if (m.key !== 'params') return textOf(text, m)
    return rewriteObject(
      text,
      m.start,
      (p) => (p.key === 'inputResponses' || p.key === 'requestState' ? undefined : textOf(text, p)),
      more,
    )
  })
  return { ...frame, id, text: next }
}

/** A request of the gateway's own, stamped for a session. */
export function ownRequest(
  id: string,
  method: string,
  params: JsonObject,
  stamp: Stamp,
): RequestFrame {
  const rest = Object.entries(params).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  )
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":{${[...rest, `"_meta":{${stamp.text}}`].join(',')}}}`
  return { kind: 'request', id, method, params, text }
}

/** Asks the server something in the gateway's own name; gives the answer's text. */
export type Ask = (method: string, params: JsonObject) => Promise<string>
