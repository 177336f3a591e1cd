import { appending, applyEdits, type Edit, replacing, replacingAll } from '../json/edit.ts'
import { type JsonNode, nodeOf, parseNodes } from '../json/parse.ts'

/** The kinds of things that a server may list. */
export const LISTED_KINDS = ['tools', 'prompts', 'resources'] as const

export type ListedKind = (typeof LISTED_KINDS)[number]

/** What a server offers, and the text of its offer with every list said to tell of its changes. */
export interface Offer {
  readonly text: string
  readonly kinds: ReadonlySet<ListedKind>
}

/**
 * Reads the answer to `initialize` or `server/discover`. Whatever a server lists may change for a
 * client with its policy, and the gateway tells of that: `listChanged` is written as true. Undefined
 * for an answer without capabilities, as an error.
 */
export function advertiseChanges(text: string): Offer | undefined {
  let root: JsonNode
  try {
    root = parseNodes(text)
  } catch {
    return undefined
  }
  const capabilities = nodeOf(nodeOf(root, 'result'), 'capabilities')
  if (capabilities?.kind !== 'object') return undefined
  const kinds = new Set<ListedKind>()
  const edits: Edit[] = []
  for (const kind of LISTED_KINDS) {
    const offered = nodeOf(capabilities, kind)
    if (offered?.kind !== 'object') continue
    kinds.add(kind)
    edits.push(
      ...(nodeOf(offered, 'listChanged') === undefined
        ? [appending(offered, '"listChanged":true')]
        : replacingAll(offered, 'listChanged', 'true')),
    )
  }
  return { text: applyEdits(text, edits), kinds }
}

/** The member of a subscription's filter that asks for changes of a kind. */
export const filterKey = (kind: ListedKind): string => `${kind}ListChanged`

/** An acknowledgement to which kinds are added that the gateway itself tells of. */
export function acknowledgeAlso(text: string, kinds: Iterable<ListedKind>): string {
  const params = nodeOf(parseNodes(text), 'params')
  if (params?.kind !== 'object') return text
  const agreed = nodeOf(params, 'notifications')
  const members = [...kinds].map(filterKey)
  if (agreed?.kind !== 'object') {
    const all = `{${members.map((key) => `${JSON.stringify(key)}:true`).join(',')}}`
    return applyEdits(text, [
      agreed === undefined ? appending(params, `"notifications":${all}`) : replacing(agreed, all),
    ])
  }
  const added: string[] = []
  const edits: Edit[] = []
  for (const key of members)
    if (nodeOf(agreed, key) === undefined) added.push(`${JSON.stringify(key)}:true`)
    else edits.push(...replacingAll(agreed, key, 'true'))
  if (added.length > 0) edits.push(appending(agreed, added.join(',')))
  return applyEdits(text, edits)
}
