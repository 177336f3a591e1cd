import { isObject, member } from '../json/json.ts'
import type { Severity } from '../policy/model.ts'
import type { AttackId } from './attacks.ts'
import { compareCategories } from './model.ts'
import type { JudgedTool } from './recommend.ts'
import { splitName } from './words.ts'

/** A part that a tool can play in an attack. */
export type Part = 'private_data' | 'untrusted_content' | 'way_out' | 'grave_action'

/** Tools that are harmless apart and dangerous together. */
export interface Combination {
  readonly id: 'lethal_trifecta' | 'injected_action'
  readonly severity: Severity
  readonly message: string
  readonly attacks: readonly AttackId[]
  /** True where no server has all of it alone. */
  readonly isAcross: boolean
  readonly parts: readonly {
    readonly part: Part
    readonly count: number
    /** A few of the tools, as `server/tool`. */
    readonly tools: readonly string[]
  }[]
}

interface Member {
  readonly name: string
  readonly tools: readonly JudgedTool[]
}

const MAX_NAMED = 5

const PRIVATE =
  /\b(?:e?mails?|inbox|mailbox|messages?|dms?|conversations?|documents?|docs|files?|drive|folders?|notes?|calendars?|contacts?|customers?|users?|employees?|patients?|records?|database|tables?|rows?|query|sql|secrets?|credentials?|env|clipboard|history|memory|graph|repositor(?:y|ies)|repo|private|invoices?|payments?|transactions?|accounts?|profiles?|logs?|screenshots?|entities|pages?|blocks?|tickets?|issues?)\b/
const UNTRUSTED =
  /\b(?:web|websites?|urls?|browse|browser|navigate|crawl|scrape|fetch|http|rss|feeds?|e?mails?|inbox|messages?|comments?|issues?|pull requests?|tickets?|reviews?|forum|tweets?|posts?|reddit|news|search results?|channel|thread|internet|snapshot|pages?|documents?)\b/
const STRANGERS =
  /\b(?:web|websites?|urls?|browse|browser|navigate|crawl|scrape|fetch|http|rss|internet|e?mails?|inbox|comments?|issues?|pull requests?|tickets?|reviews?|tweets?|posts?|news|channel|thread)\b/
const SENDS =
  /\b(?:send|post|publish|share|upload|tweet|reply|notify|broadcast|push|forward|submit|export|deploy|invite|(?:create|add|write) (?:\w+ )?(?:comment|issue|message|post|gist|webhook|reply|event|pull))\b/
const LEAVING = new Set(['external_recipient', 'any_address', 'free_form', 'free_form_effect'])

/** What of a stack is dangerous together: across servers, since one agent may call them all. */
export function combinationsOf(members: readonly Member[]): readonly Combination[] {
  const parts = new Map<Part, { server: string; tool: string }[]>()
  for (const { name, tools } of members)
    for (const tool of tools)
      for (const part of partsOf(tool)) {
        const list = parts.get(part) ?? []
        list.push({ server: name, tool: tool.name })
        parts.set(part, list)
      }
  const build = (id: Combination['id'], wanted: readonly Part[]) => {
    const lists = wanted.map((part) => parts.get(part) ?? [])
    if (lists.some((list) => list.length === 0)) return []
    const alone = members.some(({ name }) =>
      lists.every((list) => list.some((t) => t.server === name)),
    )
    return [
      {
        id,
        ...kinds[id],
        isAcross: !alone,
        parts: wanted.map((part, i) => ({
          part,
          count: lists[i]?.length ?? 0,
          tools: spread(lists[i] ?? []),
        })),
      },
    ]
  }
  return [
    ...build('lethal_trifecta', ['private_data', 'untrusted_content', 'way_out']),
    ...build('injected_action', ['untrusted_content', 'grave_action']),
  ]
}

const kinds = {
  lethal_trifecta: {
    severity: 'Critical',
    message:
      'private data, content that strangers write, and a way out: what a stranger writes can carry the data away',
    attacks: ['data_exfiltration', 'indirect_injection', 'cross_server'],
  },
  injected_action: {
    severity: 'High',
    message: 'content that strangers write, and actions that can not be taken back or move money',
    attacks: ['indirect_injection', 'cross_server', 'destructive_autonomy'],
  },
} as const satisfies Record<
  Combination['id'],
  Pick<Combination, 'severity' | 'message' | 'attacks'>
>

/** The parts that one tool can play. */
export function partsOf({
  name,
  definition,
  classification,
  findings,
}: JudgedTool): readonly Part[] {
  const { category, evidence } = classification
  const words = splitName(name, 40).join(' ')
  const text = `${words} ${firstSentence(definition)}`
  const has = (signal: string): boolean =>
    evidence.some((e) => e.signal === signal) || findings.some((f) => f.id === signal)
  const parts: Part[] = []
  const isReading = category === 'Read'
  const runsAnything = category === 'Execute' && has('free_form')
  const isPrivate = has('handles_secrets') || has('personal_or_health_data') || PRIVATE.test(text)
  if ((isReading && isPrivate && !isOnWeb(words)) || runsAnything) parts.push('private_data')
  const isOpen = openWorld(definition)
  if (
    (isReading || category === 'Execute') &&
    (STRANGERS.test(words) || (isOpen && UNTRUSTED.test(text)))
  )
    parts.push('untrusted_content')
  const isLeaving = [...LEAVING].some(has)
  if (
    (category !== 'Read' && (isLeaving || SENDS.test(words))) ||
    (isReading && has('any_address'))
  )
    parts.push('way_out')
  if (compareCategories(category, 'Destructive') >= 0) parts.push('grave_action')
  return parts
}

const isOnWeb = (words: string): boolean =>
  /\b(?:web|website|url|fetch|http|browse|navigate|crawl|scrape|internet|news)\b/.test(words)

function firstSentence(definition: JudgedTool['definition']): string {
  const description = isObject(definition) ? member(definition, 'description') : undefined
  return typeof description === 'string'
    ? (description.slice(0, 300).toLowerCase().split(/[.\n]/, 1)[0] ?? '')
    : ''
}

function openWorld(definition: JudgedTool['definition']): boolean {
  const annotations = isObject(definition) ? member(definition, 'annotations') : undefined
  return isObject(annotations) && member(annotations, 'openWorldHint') === true
}

/** A few tools, of as many servers as there are. */
function spread(list: readonly { server: string; tool: string }[]): readonly string[] {
  const servers = [...new Set(list.map(({ server }) => server))]
  const turns = servers.map((server) => list.filter((t) => t.server === server))
  const out: string[] = []
  for (let round = 0; out.length < MAX_NAMED && turns.some((turn) => turn.length > round); round++)
    for (const turn of turns) {
      const at = turn[round]
      if (at !== undefined && out.length < MAX_NAMED) out.push(`${at.server}/${at.tool}`)
    }
  return out
}
