import { isObject, member } from '../json/json.ts'
import { classify } from './classify.ts'
import { inspectTool } from './findings/index.ts'
import { withoutKeys } from './findings/secrets.ts'
import type { ServerContext, ToolDefinition } from './model.ts'
import type { JudgedTool } from './recommend.ts'

/** All that is known of one tool from its definition: class, evidence, findings. Pure and total. */
export function judgeTool(definition: ToolDefinition, server?: ServerContext): JudgedTool {
  const name = isObject(definition) ? member(definition, 'name') : undefined
  const classification = classify(definition, server)
  // What is quoted is shown to people and kept in reports; a key that an author left must not be.
  const clean = <Quoting extends { readonly quote: string }>(all: readonly Quoting[]) =>
    all.map((one) => ({ ...one, quote: withoutKeys(one.quote) }))
  return {
    name: typeof name === 'string' ? name : '',
    definition,
    classification: { ...classification, evidence: clean(classification.evidence) },
    findings: clean(inspectTool(definition, classification)),
  }
}
