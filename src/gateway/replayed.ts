import { isObject, member } from '../core/json/json.ts'
import { advertiseChanges } from '../core/mcp/capabilities.ts'
import { itemName, LISTS, type ListMethod, readList } from '../core/mcp/list.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import { beginning, sealPlace } from './cursors.ts'
import type { Caller, Gate } from './gate.ts'
import { isHiddenUnder } from './list-changes.ts'

const METHODS = Object.keys(LISTS) as readonly ListMethod[]

/**
 * An answer that a server sends again on a resumed stream, as its reader may have it. Nobody knows any
 * more what it answers (the gateway may have been restarted since), so its shape decides: whatever is a
 * list is filtered as one. Undefined for what can not be judged.
 */
export function replayed(gate: Gate, caller: Caller, text: string): string | undefined {
  let out = text
  for (const method of METHODS) {
    const filtered = filtering(gate, caller, method, out)
    if (filtered === undefined) return undefined
    out = filtered
  }
  const offer = isOffer(out) ? advertiseChanges(out) : undefined
  return offer?.text ?? out
}

function filtering(
  gate: Gate,
  caller: Caller,
  method: ListMethod,
  text: string,
): string | undefined {
  const page = readList(text, method)
  if (page === undefined || page === 'none') return page === undefined ? undefined : text
  const { policy } = caller.grant
  const seen = new Set<string>()
  const { reading } = beginning()
  return page.rewrite({
    isHidden: (item) => {
      const name = itemName(method, item)
      if (name === undefined || seen.has(name)) return true
      seen.add(name)
      const { catalogue } = caller.server
      return isHiddenUnder(policy, { catalogue, method, name, definition: item })
    },
    cursor:
      page.nextCursor === undefined || policy === undefined
        ? undefined
        : sealPlace(gate, caller, method, { cursor: page.nextCursor, reading }),
    maxTtlMs: undefined,
    id: undefined,
  }).text
}

const isOffer = (text: string): boolean => {
  const message = parseJson(text)
  const result = isObject(message) ? member(message, 'result') : undefined
  return (
    isObject(result) &&
    typeof member(result, 'protocolVersion') === 'string' &&
    isObject(member(result, 'capabilities') ?? null)
  )
}
