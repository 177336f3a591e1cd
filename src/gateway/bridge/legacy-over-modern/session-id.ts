import { randomBytes } from 'node:crypto'
import { exactText } from '../../../core/json/exact-text.ts'
import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import { LEGACY_VERSIONS } from '../../../core/mcp/revisions.ts'
import { type Span, skimArray, textOf } from '../../upstream/skim.ts'

/** What a session is made of once and for all; its id carries it, so that no table need outlive us. */
export interface SessionFacts {
  readonly version: string
  /** JSON texts, so that every number in them stays as the client wrote it. */
  readonly capabilities: string
  readonly client: string
  /** The server sends log messages to requests that ask for them. */
  readonly hasLogging: boolean
}

const PREFIX = 'lm1.'
/** Bytes of each that the id may hold: it travels in the head of every request. */
const MAX_CAPABILITIES = 2_048
const MAX_CLIENT = 512
const fits = (text: string, most: number): boolean => Buffer.byteLength(text) <= most
const NEWEST = LEGACY_VERSIONS.at(-1) as string

/** Tasks of sessions are another thing than the stateless extension: neither is declared. */
const TASKS = 'io.modelcontextprotocol/tasks'

/** The facts of a session that an `initialize` asks for. */
export function factsOf(params: JsonObject, hasLogging: boolean): SessionFacts {
  const version = member(params, 'protocolVersion')
  return {
    version: LEGACY_VERSIONS.find((one) => one === version) ?? NEWEST,
    capabilities: capabilitiesText(member(params, 'capabilities')),
    client: clientText(member(params, 'clientInfo')),
    hasLogging,
  }
}

/** What a client of sessions can do, in the words of the stateless era. */
function capabilitiesText(declared: Json | undefined): string {
  const given: JsonObject = isObject(declared) ? declared : {}
  const out: Record<string, Json> = {}
  const take = (key: string, value: Json | undefined): void => {
    if (isObject(value)) out[key] = value
  }
  const elicitation = member(given, 'elicitation')
  // Before there were modes, to elicit was to show a form.
  if (isObject(elicitation))
    out.elicitation =
      member(elicitation, 'form') === undefined && member(elicitation, 'url') === undefined
        ? { form: {}, ...elicitation }
        : elicitation
  take('sampling', member(given, 'sampling'))
  // A stateless server can't be told of changes.
  if (isObject(member(given, 'roots'))) out.roots = {}
  take('extensions', withoutTasks(member(given, 'extensions')))
  take('experimental', member(given, 'experimental'))
  const text = exactText(out)
  if (fits(text, MAX_CAPABILITIES)) return text
  const { elicitation: e, sampling: s, roots: r } = out
  const short = exactText({ elicitation: e, sampling: s, roots: r })
  return fits(short, MAX_CAPABILITIES) ? short : '{}'
}

const withoutTasks = (extensions: Json | undefined): Json | undefined => {
  if (!isObject(extensions)) return undefined
  const { [TASKS]: _, ...rest } = extensions
  return rest
}

function clientText(info: Json | undefined): string {
  const given: JsonObject = isObject(info) ? info : {}
  const whole = exactText(given)
  const name = member(given, 'name')
  const version = member(given, 'version')
  if (fits(whole, MAX_CLIENT) && typeof name === 'string' && typeof version === 'string')
    return whole
  const short = (value: Json | undefined): string =>
    typeof value === 'string' ? value.slice(0, 64) : ''
  return JSON.stringify({ name: short(name), version: short(version) })
}

/** A new id that carries the facts. It hides nothing and proves nothing: the gateway seals it. */
export function encodeSession(facts: SessionFacts): string {
  const { version, capabilities, client, hasLogging } = facts
  const key = randomBytes(12).toString('base64url')
  const parts = [key, version].map((part) => JSON.stringify(part))
  const text = `[${[...parts, capabilities, client, hasLogging].join(',')}]`
  return PREFIX + Buffer.from(text, 'utf8').toString('base64url')
}

/** The facts that an id carries; undefined for one that was not made here. */
export function decodeSession(id: string): SessionFacts | undefined {
  if (!id.startsWith(PREFIX)) return undefined
  try {
    const text = Buffer.from(id.slice(PREFIX.length), 'base64url').toString('utf8')
    const held: unknown = JSON.parse(text)
    if (!Array.isArray(held) || held.length !== 5) return undefined
    const [, version, capabilities, client, hasLogging] = held
    if (typeof version !== 'string' || !isObject(capabilities) || !isObject(client))
      return undefined
    const [, , capabilitiesAt, clientAt] = skimArray(text) as [Span, Span, Span, Span]
    return {
      version,
      capabilities: textOf(text, capabilitiesAt),
      client: textOf(text, clientAt),
      hasLogging: hasLogging === true,
    }
  } catch {
    return undefined
  }
}
