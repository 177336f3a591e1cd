import type { ExactNumber } from '../json/exact-number.ts'
import type { Json } from '../json/json.ts'
import type { LimitAlgorithm, LimitScope, Mode } from './model.ts'
import type { OperatorName } from './operators/index.ts'

/** A condition as a person writes it. */
export type ConditionDocument =
  | {
      readonly path: string
      readonly op: OperatorName
      readonly value: Json
      readonly if_absent?: boolean
    }
  | { readonly all: readonly ConditionDocument[] }
  | { readonly any: readonly ConditionDocument[] }
  | { readonly not: ConditionDocument }

/** A rule of `require` or `deny_if`. */
export interface RuleDocument {
  readonly name?: string
  readonly conditions: readonly ConditionDocument[]
  readonly on_deny?: string
}

/** A rule of `approve_if`. */
export interface ApprovalRuleDocument {
  readonly name?: string
  readonly conditions: readonly ConditionDocument[]
  readonly message?: string
  readonly expires?: string
  readonly approvals?: number
  readonly remember?: string
}

/** A quota. */
export interface LimitDocument {
  readonly counter: string
  readonly window?: string
  readonly max: number | ExactNumber
  readonly scope?: LimitScope
  readonly increment?: number | ExactNumber
  readonly increment_from?: string
  readonly on_error?: 'deny' | 'allow'
  readonly algorithm?: LimitAlgorithm
  readonly on_deny?: string
}

/** The rules of a tool, of a risk, or of all tools. */
export interface EntryDocument {
  readonly action?: 'allow' | 'deny' | 'hide' | 'approve'
  readonly reason?: string
  readonly deny_if?: readonly RuleDocument[]
  readonly require?: readonly RuleDocument[]
  readonly approve_if?: readonly ApprovalRuleDocument[]
  readonly limits?: readonly LimitDocument[]
  readonly rate_limit?: string | { readonly max: number; readonly window: number | string }
  readonly mode?: Mode
}

/** The rules of prompts, or of resources. */
export interface ItemsDocument {
  readonly default?: 'allow' | 'deny' | 'hide'
  readonly hide?: readonly string[]
  readonly deny?: readonly string[]
  readonly approve?: readonly string[]
  readonly allow?: readonly string[]
  readonly limits?: readonly LimitDocument[]
}

/** A policy as a person writes it, after validation. Maps hold own keys only: read `Object.entries`. */
export interface PolicyDocument {
  readonly $schema?: string
  readonly version: '1'
  readonly description?: string
  readonly default: 'allow' | 'deny' | 'hide'
  readonly hide?: readonly string[]
  readonly all_tools?: EntryDocument
  readonly risk?: Readonly<Record<string, EntryDocument>>
  readonly tools?: Readonly<Record<string, EntryDocument>>
  readonly pin?: boolean
  readonly strict_arguments?: boolean
  readonly timezone?: string
  readonly mode?: Mode
  readonly prompts?: ItemsDocument
  readonly resources?: ItemsDocument
}
