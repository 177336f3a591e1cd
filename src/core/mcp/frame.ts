import type { ErrorCode } from '../errors.ts'
import { fold, foldingPair } from '../fold.ts'
import { ExactNumber } from '../json/exact-number.ts'
import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { parseNodes, toValue } from '../json/parse.ts'
import type { Frame, FrameId } from './frame-model.ts'
import { scan } from './scan.ts'
import { holdsLoneSurrogate } from './surrogates.ts'

/** A frame, or why the text is none: the error's code, what is wrong, and the id if one could be read. */
export type FrameResult =
  | { readonly ok: true; readonly frame: Frame }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly detail: string
      readonly id: FrameId | undefined
    }

/** Members of all objects together; beyond that a body is no call but an attempt to keep us busy. */
const MAX_MEMBERS = 50_000
/** UTF-16 units of a string id. */
const MAX_ID = 512

const ENVELOPE = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const PARAMS = new Set(
  (
    '_meta name arguments uri cursor task taskId requestState inputResponses protocolVersion ' +
    'capabilities clientInfo ref argument context level requestId reason progressToken progress ' +
    'total message notifications'
  ).split(' '),
)
const META = new Set([
  'progressToken',
  ...['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel', 'subscriptionId'].map(
    (name) => `io.modelcontextprotocol/${name}`,
  ),
])
const folded = (names: ReadonlySet<string>): ReadonlySet<string> => new Set([...names].map(fold))
const ENVELOPE_FOLDED = folded(ENVELOPE)
const PARAMS_FOLDED = folded(PARAMS)
const META_FOLDED = folded(META)

/** A key that is not `known` but that a lenient parser would take for one that is. */
const impostor = (
  object: JsonObject,
  known: ReadonlySet<string>,
  knownFolded: ReadonlySet<string>,
): string | undefined => {
  for (const key of Object.keys(object))
    if (!known.has(key) && knownFolded.has(fold(key))) return key
  return undefined
}

/** What a walk over a value finds. */
interface Found {
  members: number
  pair: readonly [string, string] | undefined
}

/** Walks a value: counts members and finds two keys of one object that fold to the same text. */
function inspect(value: Json, found: Found): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as Json
      if (typeof item === 'object') inspect(item, found)
    }
    return
  }
  if (value instanceof ExactNumber) return
  const object = value as JsonObject
  const keys = Object.keys(object)
  found.members += keys.length
  found.pair ??= foldingPair(keys)
  for (let i = 0; i < keys.length; i++) {
    const item = object[keys[i] as string] as Json
    if (typeof item === 'object') inspect(item, found)
  }
}

const isId = (id: unknown): id is FrameId =>
  typeof id === 'string' ? id.length <= MAX_ID : Number.isSafeInteger(id)

/** Keys are shown as they came, but short and visible. */
const shown = (key: string): string =>
  JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)

/**
 * Reads one JSON-RPC message that has a single reading: a text that two parsers could understand
 * differently is refused. Total: any text gives a frame or the reason why not.
 */
export function parseFrame(text: string): FrameResult {
  const fail = (code: ErrorCode, detail: string, id?: FrameId): FrameResult => ({
    ok: false,
    code,
    detail,
    id,
  })
  const scanned = scan(text)
  if (scanned.isTooDeep) return fail('frame_invalid', 'nested too deeply')
  if (scanned.members > MAX_MEMBERS)
    return fail('frame_invalid', `more than ${MAX_MEMBERS} object members`)
  let value: Json
  try {
    value = JSON.parse(text) as Json
    // Read again where the engine may misread: numbers by rounding them, escaped keys by V8's guess.
    if (scanned.mayLoseDigits || scanned.hasEscapedKey) value = toValue(parseNodes(text))
  } catch {
    return fail('frame_not_json', 'the body is not exactly one JSON value')
  }
  if (Array.isArray(value)) return fail('frame_invalid', 'batches are not accepted')
  if (!isObject(value)) return fail('frame_invalid', 'expected a JSON object')
  const given = member(value, 'id')
  const id = isId(given) ? given : undefined

  const found: Found = { members: 0, pair: undefined }
  inspect(value, found)
  // Duplicates must not even be attributable to an id: which of the two would it be?
  if (found.members !== scanned.members) return fail('frame_invalid', 'a key is repeated')
  if (holdsLoneSurrogate(text, value))
    return fail('frame_invalid', 'a string holds half of a surrogate pair')
  if (found.pair !== undefined)
    return fail(
      'frame_invalid',
      `the keys ${found.pair.map(shown).join(' and ')} differ only in form`,
      id,
    )
  const odd = impostor(value, ENVELOPE, ENVELOPE_FOLDED) ?? oddParam(member(value, 'params'))
  if (odd !== undefined)
    return fail('frame_invalid', `the key ${shown(odd)} differs only in form from a known one`, id)
  if (given !== undefined && id === undefined)
    return fail('frame_invalid', 'the id must be a string or an integer')
  return shape(value, id, text, fail)
}

const oddParam = (params: Json | undefined): string | undefined => {
  if (!isObject(params)) return undefined
  const meta = member(params, '_meta')
  return (
    impostor(params, PARAMS, PARAMS_FOLDED) ??
    (isObject(meta) ? impostor(meta, META, META_FOLDED) : undefined)
  )
}

function shape(
  value: JsonObject,
  id: FrameId | undefined,
  text: string,
  fail: (code: ErrorCode, detail: string, id?: FrameId) => FrameResult,
): FrameResult {
  if (member(value, 'jsonrpc') !== '2.0')
    return fail('frame_invalid', '`jsonrpc` must be "2.0"', id)
  const method = member(value, 'method')
  const result = member(value, 'result')
  const error = member(value, 'error')
  if (method === undefined) {
    if (id === undefined || (result === undefined) === (error === undefined))
      return fail('frame_invalid', 'neither a request nor a response', id)
    if (error !== undefined && !isObject(error))
      return fail('frame_invalid', '`error` must be an object', id)
    return { ok: true, frame: { kind: 'response', id, result, error, text } }
  }
  if (typeof method !== 'string' || method === '' || method.length > 256)
    return fail('frame_invalid', '`method` must be a short string', id)
  if (result !== undefined || error !== undefined)
    return fail('frame_invalid', 'a request carries no `result` or `error`', id)
  const params = member(value, 'params')
  if (params !== undefined && !isObject(params))
    return fail('params_invalid', '`params` must be an object', id)
  const meta = params === undefined ? undefined : member(params, '_meta')
  if (meta !== undefined && !isObject(meta))
    return fail('params_invalid', '`_meta` must be an object', id)
  const rest = { method, params: params ?? {}, text }
  return {
    ok: true,
    frame: id === undefined ? { kind: 'notification', ...rest } : { kind: 'request', id, ...rest },
  }
}
