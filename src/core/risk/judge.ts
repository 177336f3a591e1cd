import { isObject, member } from '../json/json.ts'
import { classify } from './classify.ts'
import { inspectTool } from './findings/index.ts'
import type { ServerContext, ToolDefinition } from './model.ts'
import type { JudgedTool } from './recommend.ts'

/** All that is known of one tool from its definition: class, evidence, findings. Pure and total. */
export function judgeTool(definition: ToolDefinition, server?: ServerContext): JudgedTool {
  const name = isObject(definition) ? member(definition, 'name') : undefined
  const classification = classify(definition, server)
  return {
    name: typeof name === 'string' ? name : '',
    definition,
    classification,
    findings: inspectTool(definition, classification),
  }
}
