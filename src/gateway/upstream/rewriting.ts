import type { FrameId } from '../../core/mcp/frame-model.ts'
import { type Span, type Splice, skimObject, skimPath, splice } from './skim.ts'

/** The `_meta` key that ties a notification to its subscription (2026-07-28). */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/** A request as it goes over a shared pipe, and what to put back into what comes for it. */
export interface Rewritten {
  readonly text: string
  /** The caller's id and progress token, exactly as written. */
  readonly idText: string
  readonly tokenText: string | undefined
}

const at = (span: Span | undefined, text: string): readonly Splice[] =>
  span === undefined ? [] : [{ ...span, text }]

/** Puts our number in the place of a request's id and progress token. */
export function rewriteRequest(text: string, id: number, more: readonly Splice[] = []): Rewritten {
  const idSpan = skimPath(text, 'id')
  const token = skimPath(text, 'params', '_meta', 'progressToken')
  return {
    text: splice(text, [...at(idSpan, `${id}`), ...at(token, `${id}`), ...more]),
    idText: idSpan === undefined ? 'null' : text.slice(idSpan.start, idSpan.end),
    tokenText: token === undefined ? undefined : text.slice(token.start, token.end),
  }
}

/** Puts the caller's id back into an answer (and into the subscription id that repeats it). */
export function restoreAnswer(text: string, idText: string): string {
  const envelope = skimObject(text)
  const result = envelope.get('result')
  const meta = result === undefined ? undefined : skimObject(text, result.start).get('_meta')
  const subscription =
    meta === undefined ? undefined : skimObject(text, meta.start).get(SUBSCRIPTION_ID)
  return splice(text, [...at(envelope.get('id'), idText), ...at(subscription, idText)])
}

/** Writes one value anew, at a path that the message has. */
export const replaceAt = (text: string, path: readonly string[], by: FrameId | string): string =>
  splice(text, at(skimPath(text, ...path), `${by}`))
