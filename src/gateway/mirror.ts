import { compareNumbers, ExactNumber, exactly, isNumberText } from '../core/json/exact-number.ts'
import { isObject, type Json, type JsonObject, member } from '../core/json/json.ts'
import type { Frame } from '../core/mcp/frame-model.ts'
import type { MirroredParam } from '../core/mcp/tool.ts'

/** Headers that repeat what a body says. The body decides; these are only compared with it. */

const SENTINEL = /^=\?base64\?(.*)\?=$/
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const ASCII = /^[\t\x20-\x7e]*$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A value as a header carries it: as it is when that is unambiguous, else in the Base64 sentinel. */
export const toHeader = (value: string): string =>
  PLAIN.test(value) && !SENTINEL.test(value)
    ? value
    : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`

/**
 * The value that a header stands for; undefined when its sentinel holds no valid Base64 of UTF-8, and
 * for bytes beyond ASCII, which readers decode differently.
 */
export function fromHeader(header: string): string | undefined {
  const encoded = SENTINEL.exec(header)?.[1]
  if (encoded === undefined) return ASCII.test(header) ? header : undefined
  if (!BASE64.test(encoded)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(encoded, 'base64'),
    )
  } catch {
    return undefined
  }
}

/** Requests about one task; the others of the older extension have no header. */
const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel'])

/** The member of `params` that `Mcp-Name` repeats; undefined for methods that have none. */
export function mirroredName(method: string, params: JsonObject): string | undefined {
  const key =
    method === 'tools/call' || method === 'prompts/get'
      ? 'name'
      : method === 'resources/read'
        ? 'uri'
        : TASK_METHODS.has(method)
          ? 'taskId'
          : undefined
  if (key === undefined) return undefined
  const value = member(params, key)
  return typeof value === 'string' ? value : undefined
}

/** The request headers that matter for mirroring; undefined where absent. */
export interface MirrorHeaders {
  readonly method: string | undefined
  readonly name: string | undefined
  /** `mcp-param-*` by lower-case name. */
  readonly params: ReadonlyMap<string, string>
}

/**
 * What is wrong with the mirrors of a frame; undefined when they agree with the body. The stateless
 * era must send them, the other need not.
 */
export function mirrorMismatch(
  frame: Frame,
  headers: MirrorHeaders,
  isRequired: boolean,
): string | undefined {
  if (frame.kind === 'response') return undefined
  if (headers.method === undefined ? isRequired : headers.method !== frame.method)
    return headers.method === undefined
      ? 'Mcp-Method is missing'
      : 'Mcp-Method is not the method of the body'
  const name = mirroredName(frame.method, frame.params)
  if (headers.name === undefined)
    return isRequired && name !== undefined ? 'Mcp-Name is missing' : undefined
  if (name !== undefined && fromHeader(headers.name) !== name)
    return 'Mcp-Name is not the name in the body'
  return undefined
}

const argumentAt = (args: JsonObject, path: readonly string[]): Json | undefined => {
  let value: Json | undefined = args
  for (const key of path) value = isObject(value) ? member(value, key) : undefined
  return value
}

const isSame = (argument: Json, header: string): boolean => {
  const sent = fromHeader(header)
  if (sent === undefined) return false
  if (typeof argument === 'string') return sent === argument
  if (typeof argument === 'boolean') return sent === String(argument)
  if (typeof argument !== 'number' && !(argument instanceof ExactNumber)) return false
  return isNumberText(sent) && compareNumbers(exactly(sent), argument) === 0
}

/** What is wrong with the mirrored arguments of a tools/call; undefined when they agree. */
export function paramMismatch(
  args: JsonObject,
  headers: MirrorHeaders,
  mirrored: readonly MirroredParam[],
): string | undefined {
  for (const { path, header } of mirrored) {
    const argument = argumentAt(args, path)
    const sent = headers.params.get(header)
    if (argument === undefined || argument === null) {
      if (sent !== undefined) return `${header} has no argument in the body`
    } else if (sent === undefined) return `${header} is missing`
    else if (!isSame(argument, sent)) return `${header} is not the argument in the body`
  }
  return undefined
}
