import type { Json, JsonObject } from '../json/json.ts'

/** A JSON-RPC id: a string or an integer that a double holds. */
export type FrameId = string | number

/** One JSON-RPC message as received, judged to have one reading only. */
export type Frame =
  | {
      readonly kind: 'request'
      readonly id: FrameId
      readonly method: string
      readonly params: JsonObject
      /** The exact text: what was judged is what is forwarded. */
      readonly text: string
    }
  | {
      readonly kind: 'notification'
      readonly method: string
      readonly params: JsonObject
      readonly text: string
    }
  | {
      readonly kind: 'response'
      readonly id: FrameId
      readonly result: Json | undefined
      readonly error: JsonObject | undefined
      readonly text: string
    }

export type RequestFrame = Extract<Frame, { kind: 'request' }>
