import type { z } from 'zod'
import { ApiError, type ProblemItem } from '../core/contract/problem.ts'
import { type JsonNode, JsonSyntaxError, parseNodes, toValue } from '../core/json/parse.ts'

/** The JSON value of a body. Duplicate keys are refused: parsers differ on them. */
export function parseBody(text: string): { node: JsonNode; value: unknown } {
  try {
    const node = parseNodes(text)
    refuseDuplicates(node)
    return { node, value: toValue(node) }
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new ApiError('body_invalid', `${error.message} at offset ${error.offset}`)
    throw error
  }
}

function refuseDuplicates(node: JsonNode): void {
  if (node.kind === 'array') for (const item of node.items) refuseDuplicates(item)
  if (node.kind !== 'object') return
  const seen = new Set<string>()
  for (const { key, keyStart, node: child } of node.members) {
    if (seen.has(key))
      throw new ApiError('body_invalid', `a key stands twice, at offset ${keyStart}`)
    seen.add(key)
    refuseDuplicates(child)
  }
}

/** The value when it fits the schema; else an error with every place where it does not. */
export function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  code: 'document_invalid' | 'query_invalid',
): z.infer<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new ApiError(
    code,
    undefined,
    result.error.issues.flatMap((issue) => itemsOf(issue, [])),
  )
}

type Issue = z.core.$ZodIssue

function itemsOf(issue: Issue, above: readonly PropertyKey[]): ProblemItem[] {
  const path = [...above, ...issue.path]
  const pointer = path
    .map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      message: `unknown key \`${key}\``,
    }))
  if (issue.code === 'invalid_union') {
    // The alternative that came nearest is the one that was meant.
    const [nearest] = issue.errors.toSorted((a, b) => weight(a) - weight(b))
    if (nearest !== undefined) return nearest.flatMap((inner) => itemsOf(inner, path))
  }
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({ pointer, message: plain(inner.message) }))
  return [{ pointer, message: plain(issue.message) }]
}

const weight = (issues: readonly Issue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1),
    0,
  )

/** Our tone: no capital, no full stop. The messages of the schema library name types, not values. */
const plain = (message: string): string =>
  message.replace(/^Invalid input: /, '').replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase())
