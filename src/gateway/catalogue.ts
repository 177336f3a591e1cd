import type { JsonObject } from '../core/json/json.ts'
import { itemName, type ListPage } from '../core/mcp/list.ts'
import { type MirroredParam, mirroredParams, policyFacts } from '../core/mcp/tool.ts'
import type { Category, Severity, Tool } from '../core/policy/model.ts'

/** What the gateway holds of one advertised tool. */
export interface KnownTool {
  readonly tool: Tool
  readonly mirrored: readonly MirroredParam[]
}

/** How a definition is classified; the answer is a function of the definition alone. */
export type Classify = (definition: JsonObject) => { category: Category; severity: Severity }

/** Tools beyond this number are not remembered: a server that lists more is hostile or broken. */
const MAX_TOOLS = 20_000

/** What one server advertised last: filled from every `tools/list` that passes. */
export class Catalogue {
  #tools = new Map<string, KnownTool>()
  #filling: Map<string, KnownTool> | undefined
  #isComplete = false
  readonly #server: string
  readonly #classify: Classify

  constructor(server: string, classify: Classify) {
    this.#server = server
    this.#classify = classify
  }

  /** True once a whole list has been seen. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Takes a page in; `isFirst` when the request had no cursor. */
  add(page: ListPage, isFirst: boolean): void {
    if (isFirst) this.#filling = new Map()
    for (const definition of page.items) {
      const name = itemName('tools/list', definition)
      if (name === undefined || this.#tools.size >= MAX_TOOLS) continue
      const known = this.#known(name, definition)
      this.#tools.set(name, known)
      this.#filling?.set(name, known)
    }
    if (page.hasMore || this.#filling === undefined) return
    // A list seen from its first page to its last replaces what was known before.
    this.#tools = this.#filling
    this.#filling = undefined
    this.#isComplete = true
  }

  #known(name: string, definition: JsonObject): KnownTool {
    const facts = policyFacts(definition)
    const { category, severity } = this.#classify(definition)
    return {
      tool: { server: this.#server, name, isAdvertised: true, category, severity, ...facts },
      mirrored: mirroredParams(definition),
    }
  }

  /** The tool as advertised; undefined when the server's list does not name it. */
  find(name: string): KnownTool | undefined {
    return this.#tools.get(name)
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
