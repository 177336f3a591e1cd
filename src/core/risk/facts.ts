import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { type LeadVerbs, leadVerbs } from './lead-verb.ts'
import type { ServerContext, ToolDefinition } from './model.ts'
import { mainVerb, type PlacedVerb } from './name-verb.ts'
import { type Parameter, readParameters } from './parameters.ts'
import { normalise, splitName, splitSentence } from './words.ts'

/** What the signals read: a definition's text and schema, parsed once and bounded. */
export interface ToolFacts {
  readonly name: string
  /** Lower-case words of the name, without the server's own name in front. */
  readonly nameWords: readonly string[]
  /** The verb that the name is about, where it has one. */
  readonly verb: PlacedVerb | undefined
  readonly title: string
  readonly description: string
  /** Lower-case words, commas and slashes of the first sentence, without what labels it. */
  readonly lead: readonly string[]
  /** What the first sentence says the tool does. */
  readonly said: LeadVerbs
  /** Description in lower case. */
  readonly text: string
  readonly parameters: readonly Parameter[]
  /** What the output schema says that a call returns. */
  readonly outputs: readonly Parameter[]
  /** What the server says of itself, in lower case. */
  readonly server: string
  readonly hints: {
    readonly readOnly: boolean | undefined
    readonly destructive: boolean | undefined
    readonly openWorld: boolean | undefined
  }
  /** True when a part was too large to be read whole. */
  readonly isCut: boolean
}

const MAX_NAME = 256
const MAX_TEXT = 4_000
const MAX_LEAD_TEXT = 400
const MAX_WORDS = 40
const MAX_SERVER_TEXT = 1_000

const textOf = (value: Json | undefined, limit: number): string =>
  typeof value === 'string' ? normalise(value.slice(0, limit)) : ''

const hint = (annotations: JsonObject, key: string): boolean | undefined => {
  const value = member(annotations, key)
  return typeof value === 'boolean' ? value : undefined
}

/** A label such as `WARNING:` or `HEALTH AUDIT TOOL -`, which says nothing of what the tool does. */
const LABEL = /^[^a-zA-Z]*(?:[A-Z][A-Z0-9 _-]{2,40}(?::| [-–—]))?[^a-zA-Z]*/
const SENTENCE_END = /[.!?](?:\s|$)|\n\s*\n|\n\s*[-*#•]/

function leadWords(description: string): readonly string[] {
  const start = description.slice(0, MAX_LEAD_TEXT)
  // A description in another script has no Latin letter to begin at, and no verb for this signal.
  const body = start.replace(LABEL, '')
  const end = body.search(SENTENCE_END)
  return splitSentence(end > 12 ? body.slice(0, end) : body, MAX_WORDS)
}

function withoutServer(words: readonly string[], server: ServerContext | undefined) {
  if (server === undefined || typeof server.name !== 'string') return words
  const own = splitName(server.name.slice(0, MAX_NAME), 8)
  const [first] = words
  if (first === undefined || !own.includes(first)) return words
  // `remove_background` of `remove-bg` keeps its verb: only a name with another one loses a prefix.
  const rest = words.slice(1)
  return mainVerb(rest)?.isPlain === true ? rest : words
}

/** The same tool under another name and with no more words of its own: one operation among several. */
export const renamed = (facts: ToolFacts, nameWords: readonly string[]): ToolFacts => ({
  ...facts,
  name: nameWords.join('_'),
  nameWords,
  verb: mainVerb(nameWords),
  title: '',
  description: '',
  lead: [],
  said: { verbs: [], isAtStart: false, spoken: '' },
  text: '',
})

/** Reads a definition. Total: what is not of its type counts as absent. */
export function readFacts(tool: ToolDefinition, server: ServerContext | undefined): ToolFacts {
  const definition: JsonObject = isObject(tool) ? tool : {}
  const rawName = member(definition, 'name')
  const name = textOf(rawName, MAX_NAME)
  const annotated = member(definition, 'annotations')
  const annotations = isObject(annotated) ? annotated : {}
  const title =
    textOf(member(definition, 'title'), MAX_NAME) || textOf(member(annotations, 'title'), MAX_NAME)
  const description = textOf(member(definition, 'description'), MAX_TEXT)
  const schema = readParameters(member(definition, 'inputSchema'))
  const nameWords = withoutServer(splitName(name, MAX_NAME), server)
  // A title stands in for a missing description: it too says what the tool does.
  const lead = leadWords(description === '' ? title : description)
  return {
    name,
    nameWords,
    verb: mainVerb(nameWords),
    title,
    description,
    lead,
    said: leadVerbs(lead),
    text: description.toLowerCase(),
    parameters: schema.parameters,
    outputs: readParameters(member(definition, 'outputSchema')).parameters,
    server: textOf(server?.description, MAX_SERVER_TEXT).toLowerCase(),
    hints: {
      readOnly: hint(annotations, 'readOnlyHint'),
      destructive: hint(annotations, 'destructiveHint'),
      openWorld: hint(annotations, 'openWorldHint'),
    },
    isCut: schema.isCut || (typeof rawName === 'string' && rawName.length > MAX_NAME),
  }
}
