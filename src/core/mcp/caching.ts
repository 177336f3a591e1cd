import { appending, applyEdits, type Edit, replacingAll } from '../json/edit.ts'
import { ExactNumber } from '../json/exact-number.ts'
import type { Json } from '../json/json.ts'
import { type JsonNode, nodeOf, parseNodes } from '../json/parse.ts'

/**
 * What a client may keep of an answer that a policy has shaped: only for itself, and no longer than a
 * policy edit may take to reach it.
 */

/** Methods whose results say how long they may be kept; lists are in `LISTS`. */
export const isCacheable = (method: string): boolean =>
  method === 'server/discover' || method === 'resources/read'

const PRIVATE = '"private"'

/** The edits that make a result private to its reader for at most `maxTtlMs`. */
export function cacheEdits(
  result: Extract<JsonNode, { kind: 'object' }>,
  maxTtlMs: number,
): readonly Edit[] {
  const missing: string[] = []
  const ttl = nodeOf(result, 'ttlMs')
  if (ttl === undefined) missing.push('"ttlMs":0')
  if (nodeOf(result, 'cacheScope') === undefined) missing.push(`"cacheScope":${PRIVATE}`)
  const clamped = ttl?.kind === 'scalar' ? clamp(ttl.value, maxTtlMs) : 0
  return [
    ...(clamped === undefined ? [] : replacingAll(result, 'ttlMs', String(clamped))),
    ...replacingAll(result, 'cacheScope', PRIVATE),
    ...(missing.length === 0 ? [] : [appending(result, missing.join(','))]),
  ]
}

/** What goes in the place of a time to live; undefined when it may stay. */
function clamp(value: Json, max: number): number | undefined {
  if (value instanceof ExactNumber) return value.text.startsWith('-') ? 0 : max
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return 0
  return value > max ? max : undefined
}

/** Makes a complete result private to its reader; an error, or a result that asks for more, stays as it came. */
export function keepPrivate(text: string, maxTtlMs: number): string {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return text
  }
  const result = nodeOf(root, 'result')
  if (result?.kind !== 'object' || isUnfinished(result)) return text
  return applyEdits(text, cacheEdits(result, maxTtlMs))
}

const isUnfinished = (result: JsonNode): boolean => {
  const type = nodeOf(result, 'resultType')
  return type?.kind === 'scalar' && type.value !== 'complete'
}
