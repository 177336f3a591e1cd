import { GatewayError } from '../../core/errors.ts'
import { isObject, type Json, type JsonObject, member } from '../../core/json/json.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'
import { type Collected, Collecting } from '../forward.ts'
import type { AnswerSink } from '../gate.ts'

/** Collects what a member's exchange answers, whether its server or the gateway said it. */
export class CollectedAnswer extends Collecting implements AnswerSink {
  readonly #done: (collected: Collected) => void

  constructor(id: FrameId, done: (collected: Collected) => void) {
    super(id, done)
    this.#done = done
  }

  reply(text: string): void {
    this.#done({ text, failure: undefined })
  }

  /** Notifications have nowhere to go beside an answer. */
  notify(): void {}

  openSession(): undefined {
    return undefined
  }
}

/** What a member answered: its result, nothing (it has no such method), or why there is none. */
export type MemberAnswer =
  | { readonly kind: 'result'; readonly text: string; readonly result: JsonObject }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly error: GatewayError }

const METHOD_UNKNOWN = -32601

/** Reads a collected answer. */
export function memberAnswer({ text, failure }: Collected): MemberAnswer {
  if (failure?.code === 'method_unknown') return { kind: 'none' }
  if (failure !== undefined) return { kind: 'failed', error: failure }
  const message = text === undefined ? undefined : parse(text)
  const result = isObject(message) ? member(message, 'result') : undefined
  if (text !== undefined && isObject(result)) return { kind: 'result', text, result }
  const error = isObject(message) ? member(message, 'error') : undefined
  const code = isObject(error) ? member(error, 'code') : undefined
  if (code === METHOD_UNKNOWN) return { kind: 'none' }
  const said = typeof code === 'number' ? `it answered error ${code}` : 'it gave no answer'
  return { kind: 'failed', error: new GatewayError('upstream_broken', said) }
}

function parse(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
