import type { Denial } from '../core/mcp/reply.ts'
import type { Decision } from '../core/policy/model.ts'

/**
 * Ends a call that needs a person. Nobody can be asked yet, so it is refused, with the rule that
 * wants the approval: an obligation that can't be met is a denial.
 */
export const approve = (decision: Extract<Decision, { effect: 'approve' }>): Denial => ({
  rule: decision.rule,
  message: `approval by a person is required and nobody could be asked: ${decision.message}`,
})
