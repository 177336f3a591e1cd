/** The package's public entry: the policy engine, the classifier, and the shapes they speak. */
export * from './policy/index.ts'
export type { Problem } from './problem.ts'
export type { DecisionRecord } from './record/record.ts'
export { classify } from './risk/classify.ts'
export type { Classification, ToolDefinition } from './risk/model.ts'
