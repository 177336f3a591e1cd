import type { JsonObject } from '../core/json/json.ts'
import type { Tool } from '../core/policy/model.ts'
import type { DecisionRecord, OutcomeKind } from '../core/record/record.ts'
import type { Caller } from './gate.ts'

const MAX_KEYS = 64
const MAX_KEY = 128
const MAX_NAME = 256
const MAX_MESSAGE = 1024

/** What became of an exchange, besides who and when. */
export interface Ending {
  readonly requestId: string | undefined
  readonly method: string
  readonly tool?: string | undefined
  readonly known?: Tool | undefined
  readonly args?: JsonObject | undefined
  readonly effect: DecisionRecord['effect']
  readonly rule: string
  readonly message: string
  readonly mode: DecisionRecord['mode']
  readonly outcome: OutcomeKind
  readonly code?: string | undefined
  readonly upstreamStatus?: number | undefined
}

const NO_KEYS: readonly string[] = []
const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

/** A key that looks as if it was made by chance, or holds what a token begins with: it may be a secret. */
const SECRET =
  /^(?=.*\d)(?=.*[A-Za-z])[\w\-.~+/=]{16,}$|^(?:sk|pk|rk|gh[opsu]|xox[abprs]|AKIA|eyJ|AIza|glpat|npm)[_-]?[\w-]{12,}|^bearer\s|-----BEGIN/i

const isSecret = (key: string, known: Tool | undefined): boolean =>
  key.length >= 12 && SECRET.test(key) && !Object.hasOwn(known?.properties ?? {}, key)

/** Keys as they were sent, but short, few, and without those that look like secrets. */
const keysOf = (args: JsonObject | undefined, known: Tool | undefined): readonly string[] => {
  if (args === undefined) return NO_KEYS
  const keys = Object.keys(args)
  const isPlain = (key: string): boolean => key.length <= MAX_KEY && !isSecret(key, known)
  if (keys.length <= MAX_KEYS && keys.every(isPlain)) return keys
  return keys
    .slice(0, MAX_KEYS)
    .map((key) => (isSecret(key, known) ? `(secret, ${key.length} characters)` : cut(key, MAX_KEY)))
}

/** The record of an exchange that began at `at` and took `latencyMs`. */
export function recordOf(
  caller: Caller,
  ending: Ending,
  time: { id: string; at: number; latencyMs: number },
): DecisionRecord {
  const { grant } = caller
  const known = ending.known?.isAdvertised === true ? ending.known : undefined
  return {
    id: time.id,
    at: time.at,
    requestId: ending.requestId === undefined ? undefined : cut(ending.requestId, MAX_NAME),
    server: caller.server.entry.name,
    grant: { id: grant.id, label: grant.label },
    session: caller.session?.id,
    client: caller.client,
    protocolVersion: caller.protocolVersion,
    method: cut(ending.method, MAX_NAME),
    tool: ending.tool === undefined ? undefined : cut(ending.tool, MAX_NAME),
    effect: ending.effect,
    rule: ending.rule,
    message: cut(ending.message, MAX_MESSAGE),
    policy: grant.policy?.name ?? '',
    policyVersion: grant.policy?.version ?? '',
    mode: ending.mode,
    argumentKeys: keysOf(ending.args, known),
    outcome: ending.outcome,
    code: ending.code,
    upstreamStatus: ending.upstreamStatus,
    latencyMs: time.latencyMs,
    category: known?.category,
    severity: known?.severity,
  }
}
