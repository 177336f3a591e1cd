import type { JsonNode } from '../json/parse.ts'
import { below } from './pointer.ts'
import type { Report } from './shape.ts'

/** Reports keys that an object has twice: which of the two counts would depend on the reader. */
export function reportDuplicates(node: JsonNode, pointer: string, report: Report): void {
  if (node.kind === 'array')
    for (const [i, item] of node.items.entries()) reportDuplicates(item, below(pointer, i), report)
  if (node.kind !== 'object') return
  const seen = new Set<string>()
  for (const member of node.members) {
    const at = below(pointer, member.key)
    if (seen.has(member.key))
      report({
        level: 'problem',
        pointer: at,
        offset: member.keyStart,
        message: `the key \`${member.key.slice(0, 60)}\` is there twice`,
        hint: 'keep one of the two',
      })
    seen.add(member.key)
    reportDuplicates(member.node, at, report)
  }
}
