import type { Severity } from '../../policy/model.ts'
import type { Classification, ServerContext, ToolDefinition } from '../model.ts'
import { annotationContradiction, confusableName, selfPromotion } from './claims.ts'
import { encodedText } from './encoded.ts'
import type { Check, Finding, Inspected } from './finding.ts'
import { hiddenText } from './hidden.ts'
import { passagesOf } from './passages.ts'
import {
  asksForSecrecy,
  defeatsSafeguards,
  exfiltrates,
  overridesInstructions,
  steersOtherTools,
} from './phrases.ts'
import {
  anyAddress,
  freeFormArgument,
  missingDescription,
  noInputSchema,
  tooLarge,
  untypedArgument,
} from './schema.ts'
import { secretInDefinition } from './secrets.ts'
import { suspiciousOrders } from './suspicion.ts'

/** Every check of one tool, by the id that its findings carry. */
export const checks = {
  hidden_text: hiddenText,
  encoded_text: encodedText,
  overrides_instructions: overridesInstructions,
  asks_for_secrecy: asksForSecrecy,
  exfiltrates,
  steers_other_tools: steersOtherTools,
  defeats_safeguards: defeatsSafeguards,
  suspicious_orders: suspiciousOrders,
  secret_in_definition: secretInDefinition,
  confusable_name: confusableName,
  annotation_contradiction: annotationContradiction,
  free_form_argument: freeFormArgument,
  untyped_argument: untypedArgument,
  any_address: anyAddress,
  no_input_schema: noInputSchema,
  missing_description: missingDescription,
  too_large: tooLarge,
  self_promotion: selfPromotion,
} satisfies Record<string, Check>

/** The name of a check of one tool. */
export type CheckId = keyof typeof checks

/** What makes a definition an attack on whoever lists it. */
export const poisoning: readonly CheckId[] = [
  'hidden_text',
  'encoded_text',
  'overrides_instructions',
  'asks_for_secrecy',
  'exfiltrates',
  'steers_other_tools',
  'defeats_safeguards',
  'suspicious_orders',
  'confusable_name',
]

const MAX_PER_CHECK = 5
const MAX_QUOTE = 120
const order = ['Low', 'Medium', 'High', 'Critical'] as const satisfies readonly Severity[]

/** Negative, zero or positive as `a` is milder than, as bad as or worse than `b`. */
export const compareSeverities = (a: Severity, b: Severity): number =>
  order.indexOf(a) - order.indexOf(b)

/** The findings on one tool, worst first. Pure and total. */
export function inspectTool(
  tool: ToolDefinition,
  classification: Classification,
): readonly Finding[] {
  return inspect(
    { tool, classification, passages: passagesOf(tool as never) },
    Object.entries(checks),
  )
}

/** The findings on what a server tells the model of itself: its name, title and instructions. */
export function inspectServer(server: ServerContext): readonly Finding[] {
  const { name, description = '' } = server
  const text = { name, instructions: description }
  const told: Inspected = { tool: {}, classification: unclassified, passages: passagesOf(text) }
  return inspect(
    told,
    Object.entries(checks).filter(([id]) => isAboutText(id as CheckId)),
  )
}

const isAboutText = (id: CheckId): boolean =>
  (poisoning.includes(id) && id !== 'confusable_name' && id !== 'steers_other_tools') ||
  id === 'secret_in_definition'

const unclassified: Classification = {
  category: 'Execute',
  riskClass: 'High',
  severity: 'High',
  confidence: 0,
  evidence: [],
  operations: [],
}

function inspect(
  inspected: Inspected,
  table: readonly (readonly [string, Check])[],
): readonly Finding[] {
  const found: Finding[] = []
  for (const [id, { look, severity, message, owasp, attacks }] of table)
    for (const hit of look(inspected).slice(0, MAX_PER_CHECK))
      found.push({
        id,
        severity: hit.severity ?? severity,
        message,
        at: hit.at,
        quote: hit.quote.slice(0, MAX_QUOTE),
        owasp,
        attacks,
      })
  return found.toSorted((a, b) => compareSeverities(b.severity, a.severity))
}
