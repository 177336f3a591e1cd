import { ExactNumber } from '../../../core/json/exact-number.ts'
import { exactText } from '../../../core/json/exact-text.ts'
import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'
import { parseNodes, toValue } from '../../../core/json/parse.ts'
import { mirrorFault } from '../../../core/mcp/mirror-fault.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import { type MirroredParam, mirroredParams } from '../../../core/mcp/tool.ts'
import { makeRoom } from '../../bounded.ts'
import { toHeader } from '../../mirror.ts'
import { skimArray, skimObject, textOf } from '../../upstream/skim.ts'
import { needsWrapping, wrapSchema } from './output-schema.ts'

const MAX_TOOLS = 20_000

/** What the bridge must know of a tool. */
interface Known {
  readonly mirrored: readonly MirroredParam[]
  readonly isWrapped: boolean
}

const PLAIN: Known = { mirrored: [], isWrapped: false }

/** What the server's lists said of its tools: which arguments headers repeat, what is wrapped. */
export class ToolTable {
  readonly #tools = new Map<string, Known>()
  readonly #mirrors: boolean
  readonly #refused: (tool: string, reason: string) => void

  /** `mirrors`: the server is reached over headers, so its tools must be callable through them. */
  constructor(mirrors: boolean, refused: (tool: string, reason: string) => void) {
    this.#mirrors = mirrors
    this.#refused = refused
  }

  /** True when the headers of a call are known, or there are none. */
  isReady(name: string): boolean {
    return !this.#mirrors || this.#tools.has(name)
  }

  /** True for a tool whose structured content goes to sessions as the member `result`. */
  isWrapped(name: string | undefined): boolean {
    return name !== undefined && this.#tools.get(name)?.isWrapped === true
  }

  /** The headers that repeat arguments of a call: name, value, … */
  headersOf(name: string, args: Json | undefined): readonly string[] {
    const mirrored = this.#mirrors ? (this.#tools.get(name)?.mirrored ?? []) : []
    return mirrored.flatMap(({ path, header }) => {
      let value = args
      for (const key of path) value = isObject(value) ? member(value, key) : undefined
      const text = value instanceof ExactNumber ? value.text : primitiveText(value)
      return text === undefined ? [] : [header, toHeader(text)]
    })
  }

  /** Takes a listed array of tools in, and gives it as a session may see it. */
  plainList(list: string): string {
    if (!list.startsWith('[')) return list
    const out: string[] = []
    for (const span of skimArray(list)) {
      const text = textOf(list, span)
      const shown = this.#learn(text)
      if (shown !== undefined) out.push(shown)
    }
    return `[${out.join(',')}]`
  }

  /** The text of one definition for a session; undefined for a tool that can't be called. */
  #learn(text: string): string | undefined {
    const definition = parseJson(text)
    const name = isObject(definition) ? member(definition, 'name') : undefined
    if (!isObject(definition) || typeof name !== 'string') return text
    const fault = this.#mirrors ? mirrorFault(definition) : undefined
    if (fault !== undefined) {
      this.#refused(name, fault)
      return undefined
    }
    const mirrored = mirroredParams(definition)
    const isWrapped = needsWrapping(member(definition, 'outputSchema'))
    if (!this.#tools.has(name)) makeRoom(this.#tools, MAX_TOOLS)
    this.#tools.set(name, mirrored.length === 0 && !isWrapped ? PLAIN : { mirrored, isWrapped })
    return isWrapped ? wrapped(text) : text
  }
}

const primitiveText = (value: Json | undefined): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined

/** A definition with its output schema wrapped; all other bytes as they came. */
function wrapped(text: string): string {
  const span = skimObject(text).get('outputSchema')
  if (span === undefined) return text
  const schema = toValue(parseNodes(textOf(text, span))) as JsonObject
  return text.slice(0, span.start) + exactText(wrapSchema(schema)) + text.slice(span.end)
}
