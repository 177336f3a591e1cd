import { isObject, type Json } from '../../core/json/json.ts'
import type { ListMethod } from '../../core/mcp/list.ts'
import type { Seal } from '../seal.ts'
import type { StackView } from './member.ts'

/** Where a client stands in a stack's list: the cursor of every member that has more. */
export type Cursors = ReadonlyMap<string, string>

/** A place as a client may hold it: good for the grant, the stack and the list it was given for. */
export function sealCursors(
  seal: Seal,
  { grant, entry }: StackView,
  method: ListMethod,
  cursors: Cursors,
): string | undefined {
  if (cursors.size === 0) return undefined
  return seal.seal(JSON.stringify([grant.id, entry.id, method, Object.fromEntries(cursors)]))
}

/** The place of a cursor; undefined for one that was not given to this grant for this list. */
export function openCursors(
  seal: Seal,
  { grant, entry }: StackView,
  method: ListMethod,
  sealed: string,
): Cursors | undefined {
  const text = seal.open(sealed)
  if (text === undefined) return undefined
  const [grantId, stackId, list, cursors] = JSON.parse(text) as readonly Json[]
  if (grantId !== grant.id || stackId !== entry.id || list !== method) return undefined
  return isObject(cursors) ? new Map(Object.entries(cursors) as [string, string][]) : undefined
}
