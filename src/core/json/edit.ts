import type { JsonNode } from './parse.ts'

/** A replacement of `text[start, end)`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

type ObjectNode = Extract<JsonNode, { kind: 'object' }>

/** The text with some places written anew, and every other byte as it was. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let out = ''
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return out + text.slice(at)
}

/** Writes a value anew. */
export const replacing = (node: JsonNode, text: string): Edit => ({
  start: node.start,
  end: node.end,
  text,
})

/** Writes every member of this name anew: readers differ in which of several they take. */
export const replacingAll = (object: ObjectNode, key: string, text: string): readonly Edit[] =>
  object.members.filter((m) => m.key === key).map((m) => replacing(m.node, text))

/** Adds members behind the last one; `members` are written without the braces. */
export const appending = (object: ObjectNode, members: string): Edit => ({
  start: object.end - 1,
  end: object.end - 1,
  text: object.members.length === 0 ? members : `,${members}`,
})

/** Takes a member out together with its comma; none when there is no such member. */
export function removing(object: ObjectNode, key: string): readonly Edit[] {
  const at = object.members.findLastIndex((m) => m.key === key)
  const own = object.members[at]
  if (own === undefined) return []
  const next = object.members[at + 1]
  const before = object.members[at - 1]
  // The comma behind it, or for the last member the one before.
  const start = next === undefined && before !== undefined ? before.node.end : own.keyStart
  const end = next === undefined ? own.node.end : next.keyStart
  return [{ start, end, text: '' }]
}
