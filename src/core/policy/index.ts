/** The policy engine: the same in the gateway, the command line and the browser. */
export { type CompiledPolicy, compilePolicy } from './compile.ts'
export type { PolicyDocument } from './document.ts'
export { type Explanation, explain } from './explain.ts'
export { formatExplanation } from './format-explanation.ts'
export { importIntercept, type LoadedText, loadPolicy, MAX_POLICY_TEXT } from './load.ts'
export type * from './model.ts'
export { operators } from './operators/index.ts'
export { policySchema, SCHEMA_ID } from './schema.ts'
