import type { Instant } from '../instant.ts'
import type { Json, JsonObject } from '../json/json.ts'

/** What a tool can do; precedence from last to first. */
export type Category = 'Read' | 'Write' | 'Execute' | 'Destructive' | 'Financial'

/** How bad a wrong call of a tool can be. */
export type Severity = 'Low' | 'Medium' | 'High' | 'Critical'

/** Who asks: what the policy may know of the caller. */
export interface Subject {
  readonly grant: { readonly id: string; readonly label: string; readonly tags: JsonObject }
  /** The caller's MCP session; undefined in the stateless era. */
  readonly session: string | undefined
  /** What the client says of itself: unverified, for display and rules that only narrow. */
  readonly client: { readonly name: string; readonly version: string }
}

/** The tool that is asked for, as the gateway knows it. */
export interface Tool {
  readonly server: string
  readonly name: string
  /** True when the server's last `tools/list` named it. */
  readonly isAdvertised: boolean
  readonly category: Category
  readonly severity: Severity
  /** The definition's annotations; empty when it has none or is unknown. */
  readonly annotations: JsonObject
  /** `inputSchema.properties` of the definition (for declared defaults); empty when unknown. */
  readonly properties: JsonObject
}

/** What the decision point judges: subject, action (with its arguments), resource, context. */
export interface AccessRequest {
  readonly subject: Subject
  readonly tool: Tool
  readonly args: JsonObject
  readonly context: {
    readonly at: Instant
    /** Current values of the counters that `Policy.countersRead(tool)` named, by counter name. */
    readonly counters: ReadonlyMap<string, Json>
  }
}

/** Whether a decision binds, or is only recorded. */
export type Mode = 'enforce' | 'observe'

/** One limit that a call draws on, and how much of it; `core/quota` turns it into a demand. */
export interface LimitUse {
  /** RFC 6901 pointer of the limit in the policy. */
  readonly pointer: string
  readonly limit: Limit
  /** Consumed by this call, in millionths of a unit. */
  readonly amount: bigint
  readonly mode: Mode
}

export type LimitScope = 'grant' | 'session' | 'server' | 'organisation'
export type LimitAlgorithm = 'fixed' | 'sliding' | 'concurrent'
export type WindowName = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month'

/** A quota as the policy states it, compiled. */
export interface Limit {
  readonly counter: string
  /** A calendar window in UTC, or a length in milliseconds aligned to the epoch; none for `concurrent`. */
  readonly window: WindowName | { readonly lengthMs: number } | undefined
  /** The most that may be consumed in one window, in millionths of a unit. */
  readonly max: bigint
  readonly scope: LimitScope
  readonly algorithm: LimitAlgorithm
  readonly onError: 'deny' | 'allow'
  /** What the caller is told when it is exhausted; a default names counter and window. */
  readonly message: string
}

/** What an approval asks for. */
export interface ApprovalNeed {
  readonly message: string
  readonly expiresMs: number
  readonly approvals: number
  /** How long the same caller with the same arguments needs no second approval; 0 is never. */
  readonly rememberMs: number
}

/**
 * The answer of the decision point. `rule` is empty, a name in parentheses (`(default deny)`), or
 * the RFC 6901 pointer of what fired.
 */
export type Decision =
  | {
      readonly effect: 'allow'
      readonly rule: ''
      readonly message: ''
      readonly limits: readonly LimitUse[]
      readonly observed: Observed | undefined
    }
  | {
      readonly effect: 'deny'
      readonly rule: string
      readonly message: string
      readonly isHidden: boolean
    }
  | {
      readonly effect: 'approve'
      readonly rule: string
      readonly message: string
      readonly need: ApprovalNeed
      readonly limits: readonly LimitUse[]
      readonly observed: Observed | undefined
    }

/** What a rule in `mode: observe` would have decided; it is recorded and binds nothing. */
export interface Observed {
  readonly effect: 'deny' | 'approve'
  readonly rule: string
  readonly message: string
}

/** A rule for one prompt by name or one resource by URI. */
export type ItemKind = 'prompts' | 'resources'

/** A compiled policy: decides in a few microseconds, whatever its size. */
export interface Policy {
  /** Whether a changed tool definition withholds the tool until a person accepts it (`pin`). */
  readonly pins: boolean
  /** Whether arguments must satisfy the tool's input schema and name nothing else. */
  readonly strictArguments: boolean
  /** Judges one tools/call. Pure and total: any request gives a decision. */
  decide(request: AccessRequest): Decision
  /** True when the tool is left out of tools/list. */
  isHidden(tool: Tool): boolean
  /** True when only a glob, a risk entry or the default speaks for it, so that it must be advertised. */
  needsAdvertising(toolName: string): boolean
  /** True when what a server says of a tool, beyond its name, may change a decision. */
  readonly readsDefinitions: boolean
  /** Names of the counters whose current value a decision on this tool reads (`limits.<counter>`). */
  countersRead(toolName: string): readonly string[]
  /** The first limit under which this policy counts `counter`; what `limits.<counter>` reads. */
  limitNamed(counter: string): Limit | undefined
  /** Judges prompts/get by name or resources/read by URI. */
  decideItem(kind: ItemKind, name: string): Decision
  /** True when the prompt or resource is left out of its list. */
  isItemHidden(kind: ItemKind, name: string): boolean
}
