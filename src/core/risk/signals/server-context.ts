import type { Category } from '../../policy/model.ts'
import type { Signal } from './signal.ts'

/** What a server says of all of its tools, and what follows for one whose own words say little. */
const domains: readonly {
  readonly category: Category
  readonly weight: number
  readonly says: RegExp
}[] = [
  {
    category: 'Execute',
    weight: 0.6,
    says: /\b(browser automation|automates? (?:a |the )?browser|computer use|remote control|controls? (?:a |the |your )?(?:browser|computer|desktop|phone|device|robot)s?|smart home|home automation|shell access|code execution)\b/,
  },
  {
    category: 'Read',
    weight: 0.8,
    says: /\b(read[- ]only (?:access|server|tools?|interface)|only reads|search engine|documentation (?:search|lookup|server))\b/,
  },
]

/** The server's own description: it settles a doubt, and never outweighs the tool's verb. */
export const serverContext: Signal = ({ server, verb }) => {
  if (server === '' || verb?.isPlain === true) return []
  for (const { category, weight, says } of domains) {
    const found = says.exec(server)
    if (found !== null) return [{ category, weight, quote: found[0] }]
  }
  return []
}
