import type { Json } from '../../json/json.ts'
import { type JsonNode, nodeOf } from '../../json/parse.ts'
import { didYouMean } from '../nearest.ts'
import { below } from '../pointer.ts'
import { complain, found, type Report, scalarOf } from '../shape.ts'

/** A place in an Intercept policy, and how to complain about it. */
export interface Place {
  readonly node: JsonNode
  readonly pointer: string
  readonly report: Report
}

/** Complains about a place. */
export const refuse = (place: Place, message: string, hint?: string): void =>
  complain(place.report, place, message, hint)

/** The place of a member; undefined when there is none. */
export function placeAt(place: Place, key: string): Place | undefined {
  const node = nodeOf(place.node, key)
  return node === undefined ? undefined : { ...place, node, pointer: below(place.pointer, key) }
}

/** The elements of a list; a problem when it is none. Null is an empty list, as in Intercept. */
export function elementsOf(place: Place | undefined, what: string): readonly Place[] {
  if (place === undefined || isNull(place)) return []
  if (place.node.kind !== 'array') {
    refuse(place, `expected ${what} (a list), found ${found(place.node)}`)
    return []
  }
  return place.node.items.map((node, i) => ({ ...place, node, pointer: below(place.pointer, i) }))
}

/** The members of an object; a problem when it is none. */
export function membersOf(
  place: Place,
  what: string,
): readonly (Place & { readonly key: string })[] {
  if (isNull(place)) return []
  if (place.node.kind !== 'object') {
    refuse(place, `expected ${what} (an object), found ${found(place.node)}`)
    return []
  }
  return place.node.members.map((m) => ({
    ...place,
    node: m.node,
    key: m.key,
    pointer: below(place.pointer, m.key),
  }))
}

/** The text of a member; a number or flag is taken by its text, as Intercept's reader does. */
export function textOf(place: Place, key: string): string | undefined {
  const at = placeAt(place, key)
  if (at === undefined || isNull(at)) return undefined
  const value = scalarOf(at.node)
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  refuse(at, `expected a text, found ${found(at.node)}`)
  return undefined
}

/** A scalar's value. */
export const scalarAt = (place: Place): Json | undefined => scalarOf(place.node)

/** Complains about members that this format does not have. */
export function refuseUnknown(place: Place, known: readonly string[], what: string): void {
  for (const member of membersOf(place, what))
    if (!known.includes(member.key))
      refuse(
        member,
        `${what} of an Intercept policy has no \`${member.key.slice(0, 60)}\``,
        didYouMean(member.key, known),
      )
}

const isNull = (place: Place): boolean => scalarOf(place.node) === null
