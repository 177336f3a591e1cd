import type { Json } from '../json/json.ts'
import type { Category, Severity } from '../policy/model.ts'

/** A tool as `tools/list` carries it: any JSON may stand anywhere, since an upstream wrote it. */
export interface ToolDefinition {
  readonly name?: Json
  readonly title?: Json
  readonly description?: Json
  readonly inputSchema?: Json
  readonly outputSchema?: Json
  readonly annotations?: Json
}

/** What is known of the server that offers the tool. */
export interface ServerContext {
  readonly name: string
  readonly description?: string
}

/** Why the classifier thinks so: which signal spoke, and the words of the definition it read. */
export interface Evidence {
  readonly signal: string
  readonly quote: string
}

/** One value of an argument that chooses among operations, and what the tool does when it is given. */
export interface Operation {
  readonly argument: string
  readonly value: string
  readonly category: Category
}

/** What a tool can do, and how bad a wrong call of it can be. */
export interface Classification {
  readonly category: Category
  /** A function of the category alone. */
  readonly riskClass: Severity
  /** The class, moved by what makes this tool worse or milder than its class. */
  readonly severity: Severity
  /** From 0 to 1: how much of the evidence agrees. */
  readonly confidence: number
  readonly evidence: readonly Evidence[]
  /** Where an argument chooses the operation: a category for each of its values. */
  readonly operations: readonly Operation[]
}

/** One word of a signal on the category. Weights argue; what `obliges` sets a floor. */
export interface Vote {
  readonly category: Category
  /** Negative argues against the category. */
  readonly weight: number
  /** True when the category may be raised above this one, never stay below it. */
  readonly obliges?: boolean
  readonly quote: string
}

/** Categories by precedence: where several apply, the later one holds. */
export const precedence = ['Read', 'Write', 'Execute', 'Destructive', 'Financial'] as const

/** Negative, zero or positive as `a` gives way to, equals or goes before `b`. */
export const compareCategories = (a: Category, b: Category): number =>
  precedence.indexOf(a) - precedence.indexOf(b)
