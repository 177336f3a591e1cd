import { hash } from 'node:crypto'
import { canonicalText } from '../core/json/canonical.ts'
import type { JsonObject } from '../core/json/json.ts'
import { itemName, LISTS, type ListMethod } from '../core/mcp/list.ts'
import { type MirroredParam, mirroredParams, pageUri, policyFacts } from '../core/mcp/tool.ts'
import type { Category, Severity, Tool } from '../core/policy/model.ts'
import { type PagePlace, Pages } from './pages.ts'
import { pageOf } from './resources.ts'

/** What the gateway holds of one advertised tool. */
export interface KnownTool {
  readonly tool: Tool
  readonly mirrored: readonly MirroredParam[]
  /** Of the whole definition: two that differ in anything have two. */
  readonly digest: string
  /** The page that shows it (MCP Apps); undefined when it has none. */
  readonly page?: string | undefined
}

/** How a definition is classified; the answer is a function of the definition alone. */
export type Classify = (definition: JsonObject) => { category: Category; severity: Severity }

/** Tools beyond this number are not remembered: a server that lists more is hostile or broken. */
const MAX_TOOLS = 20_000

const METHODS = Object.keys(LISTS) as readonly ListMethod[]

/** What one server listed last: filled from every page that passes. */
export class Catalogue {
  #tools = new Map<string, KnownTool>()
  readonly #pages = new Map(METHODS.map((method) => [method, new Pages()]))
  /** The names of each list that was seen whole. */
  readonly #listed = new Map<ListMethod, readonly string[]>()
  /** Each tool's definition as it was first seen, as a digest. */
  readonly #first = new Map<string, string>()
  readonly #server: string
  readonly #classify: Classify

  constructor(server: string, classify: Classify) {
    this.#server = server
    this.#classify = classify
  }

  /** True once a whole list of tools has been seen. */
  get isComplete(): boolean {
    return this.#listed.has('tools/list')
  }

  /** The names that a list held when it was last seen whole; undefined until then, or once it changed. */
  listed(method: ListMethod): readonly string[] | undefined {
    return this.#listed.get(method)
  }

  /** The server says that a list is another now. */
  forget(method: ListMethod): void {
    if (method !== 'tools/list') this.#listed.delete(method)
  }

  /** Takes a page in. */
  add(method: ListMethod, items: readonly JsonObject[], place: PagePlace): void {
    const names = new Set<string>()
    for (const definition of items) {
      const name = itemName(method, definition)
      // Of two things of one name the first is shown, and it is the one that counts.
      if (name === undefined || names.has(name)) continue
      names.add(name)
      if (method === 'tools/list' && (this.#tools.has(name) || this.#tools.size < MAX_TOOLS))
        this.#take(name, this.#known(name, definition))
    }
    const all = this.#pages.get(method)?.add(names, place)
    if (all === undefined) return
    this.#listed.set(method, all)
    if (method === 'tools/list') this.#keepOnly(all)
  }

  #take(name: string, known: KnownTool): void {
    this.#tools.set(name, known)
    // What is forgotten would be accepted again in any form: a name keeps its first digest.
    if (!this.#first.has(name) && this.#first.size < 2 * MAX_TOOLS)
      this.#first.set(name, known.digest)
  }

  /** A list seen from its first page to its last replaces what was known before, in its newest form. */
  #keepOnly(names: readonly string[]): void {
    const kept = new Map<string, KnownTool>()
    for (const name of names) {
      const known = this.#tools.get(name)
      if (known !== undefined) kept.set(name, known)
    }
    this.#tools = kept
  }

  /** True for a tool whose definition is another than it was when it was first seen. */
  hasDrifted(name: string): boolean {
    const digest = this.#tools.get(name)?.digest
    return digest !== undefined && digest !== this.#first.get(name)
  }

  #known(name: string, definition: JsonObject): KnownTool {
    const facts = policyFacts(definition)
    const { category, severity } = this.#classify(definition)
    return {
      tool: { server: this.#server, name, isAdvertised: true, category, severity, ...facts },
      mirrored: mirroredParams(definition),
      digest: hash('sha256', canonicalText(definition), 'base64url'),
      page: pageOf(pageUri(definition)),
    }
  }

  /** The tool as advertised; undefined when the server's list does not name it. */
  find(name: string): KnownTool | undefined {
    return this.#tools.get(name)
  }

  /** The tools that a page belongs to. */
  toolsWithPage(page: string): readonly Tool[] {
    return [...this.#tools.values()].filter((known) => known.page === page).map(({ tool }) => tool)
  }

  /** A listed definition as the policy sees it, for filtering the list that holds it. */
  toolOf(name: string, definition: JsonObject): Tool {
    return this.#tools.get(name)?.tool ?? this.#known(name, definition).tool
  }

  /** The tool by name; one that nobody advertised has the highest risk class. */
  describe(name: string): Tool {
    return (
      this.#tools.get(name)?.tool ?? {
        server: this.#server,
        name,
        isAdvertised: false,
        category: 'Financial',
        severity: 'Critical',
        annotations: {},
        properties: {},
      }
    )
  }
}
