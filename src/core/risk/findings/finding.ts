import type { Severity } from '../../policy/model.ts'
import type { AttackId, OwaspId } from '../attacks.ts'
import type { Classification, ToolDefinition } from '../model.ts'
import type { Passage } from './passages.ts'

/** What a check found: where, the few words it rests on, and how bad, where that differs from its usual. */
export interface Hit {
  /** A path into the definition, as `description` or `inputSchema.properties.note.description`. */
  readonly at: string
  readonly quote: string
  readonly severity?: Severity
}

/** Something wrong with a definition, a server or a set of servers. */
export interface Finding {
  /** The check that found it; stable. */
  readonly id: string
  readonly severity: Severity
  readonly message: string
  readonly at: string
  readonly quote: string
  readonly owasp: OwaspId
  readonly attacks: readonly AttackId[]
}

/** What the checks of one tool read. */
export interface Inspected {
  readonly tool: ToolDefinition
  readonly classification: Classification
  /** Every text of the definition, wherever it stands. */
  readonly passages: readonly Passage[]
}

/** One kind of finding: what it means, and how to look for it. */
export interface Check {
  readonly severity: Severity
  readonly message: string
  readonly owasp: OwaspId
  readonly attacks: readonly AttackId[]
  readonly look: (inspected: Inspected) => readonly Hit[]
}
