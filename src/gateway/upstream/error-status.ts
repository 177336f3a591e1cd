import { isObject, member } from '../../core/json/json.ts'
import { parseJson } from '../../core/mcp/parse-json.ts'

/** What the stateless revision says with the HTTP status as well, by JSON-RPC code. */
const STATUS: ReadonlyMap<unknown, number> = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
])

/** The HTTP status that a stateless answer has, from a server whose transport has none. */
export function modernStatus(text: string): number {
  // The usual answer is a result: it is not parsed once more for this.
  if (!text.includes('"error"')) return 200
  const message = parseJson(text)
  const error = isObject(message) ? member(message, 'error') : undefined
  return (isObject(error) ? STATUS.get(member(error, 'code')) : undefined) ?? 200
}
