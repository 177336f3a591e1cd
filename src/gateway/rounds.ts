import { hash } from 'node:crypto'
import type { Instant } from '../core/instant.ts'
import { canonicalText } from '../core/json/canonical.ts'
import { type Json, type JsonObject, member } from '../core/json/json.ts'
import { type JsonNode, nodeOf, parseNodes } from '../core/json/parse.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import type { Caller, Gate } from './gate.ts'

/**
 * Rounds of one call. A server that answers `input_required` is called again with the same arguments
 * and what the client was asked for; that is one call, and counts once. The proof is the gateway's own:
 * it seals the server's `requestState` together with the call, for a single use.
 */

const PREFIX = 'sp-round-1.'
const LIFE_MS = 3_600_000
const ONCE = 1_000_000n

/** What is sealed into the state that a client sends back. */
interface Round {
  readonly id: string
  readonly call: string
  readonly expiresAt: Instant
  /** The server's own state; null when it gave none. */
  readonly state: string | null
}

/** A frame as it goes on to the server, and whether it continues a call that was counted. */
export interface Continued {
  readonly frame: RequestFrame
  readonly isCounted: boolean
}

/** Which call this is: the same grant, server, tool and arguments give the same text. */
const callOf = (caller: Caller, params: JsonObject): string =>
  hash(
    'sha256',
    canonicalText([
      caller.grant.id,
      caller.server.entry.id,
      member(params, 'name') ?? null,
      member(params, 'arguments') ?? {},
    ]),
    'base64url',
  )

/**
 * Takes the gateway's own state out of a call that comes back with it, and puts the server's in its
 * place. A state that is not ours passes as it is, and proves nothing.
 */
export async function continueRound(
  gate: Gate,
  caller: Caller,
  frame: RequestFrame,
): Promise<Continued> {
  const sent = member(frame.params, 'requestState')
  if (typeof sent !== 'string' || !sent.startsWith(PREFIX)) return { frame, isCounted: false }
  const round = openRound(gate, sent)
  if (round === undefined) return { frame, isCounted: false }
  return {
    frame: withState(frame, round.state),
    isCounted:
      round.expiresAt > gate.clock.now() &&
      round.call === callOf(caller, frame.params) &&
      (await useOnce(gate, round)),
  }
}

function openRound(gate: Gate, sent: string): Round | undefined {
  const text = gate.seal.open(sent.slice(PREFIX.length))
  return text === undefined ? undefined : (JSON.parse(text) as Round)
}

/** True the first time; a state that is sent again is a new call. */
async function useOnce(gate: Gate, round: Round): Promise<boolean> {
  const key = JSON.stringify(['round', round.id])
  const window = { lengthMs: LIFE_MS * 24 }
  const demand = { key, algorithm: 'fixed' as const, window, amount: ONCE, max: ONCE }
  try {
    return (await gate.counters.reserve([demand], gate.clock.now())).ok
  } catch {
    return false
  }
}

/** Seals the state of an `input_required` answer to a counted call; other answers stay as they came. */
export function sealRound(gate: Gate, caller: Caller, params: JsonObject, text: string): string {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return text
  }
  const result = nodeOf(root, 'result')
  if (scalarOf(nodeOf(result, 'resultType')) !== 'input_required' || result === undefined)
    return text
  const own = nodeOf(result, 'requestState')
  const state = scalarOf(own)
  const round: Round = {
    id: gate.newId(),
    call: callOf(caller, params),
    expiresAt: gate.clock.now() + LIFE_MS,
    state: typeof state === 'string' ? state : null,
  }
  const sealed = JSON.stringify(PREFIX + gate.seal.seal(JSON.stringify(round)))
  return own === undefined
    ? `${text.slice(0, result.end - 1)},"requestState":${sealed}${text.slice(result.end - 1)}`
    : text.slice(0, own.start) + sealed + text.slice(own.end)
}

const scalarOf = (node: JsonNode | undefined): Json | undefined =>
  node?.kind === 'scalar' ? node.value : undefined

/** The frame with the server's state instead of ours; without any, when the server gave none. */
function withState(frame: RequestFrame, state: string | null): RequestFrame {
  const params = nodeOf(parseNodes(frame.text), 'params')
  if (params?.kind !== 'object') return frame
  const at = params.members.findIndex((m) => m.key === 'requestState')
  const own = params.members[at]
  if (own === undefined) return frame
  const { requestState: _, ...rest } = frame.params
  if (state !== null)
    return {
      ...frame,
      params: { ...rest, requestState: state },
      text:
        frame.text.slice(0, own.node.start) +
        JSON.stringify(state) +
        frame.text.slice(own.node.end),
    }
  // Its comma goes with it: the one behind, or for the last member the one before.
  const next = params.members[at + 1]
  const before = params.members[at - 1]
  const from = next === undefined && before !== undefined ? before.node.end : own.keyStart
  const to = next === undefined ? own.node.end : next.keyStart
  return { ...frame, params: rest, text: frame.text.slice(0, from) + frame.text.slice(to) }
}
