import type { Json } from '../json/json.ts'
import { type JsonNode, JsonSyntaxError, parseNodes, toValue } from '../json/parse.ts'
import type { Problem } from '../problem.ts'
import { checkWhole } from './check.ts'
import { type CompiledPolicy, compilePolicy } from './compile.ts'
import type { PolicyDocument } from './document.ts'
import { reportDuplicates } from './duplicates.ts'
import { createFindings } from './findings.ts'
import { importDocument, isIntercept } from './intercept/import.ts'
import { createPatterns, type Patterns } from './pattern.ts'
import type { Report } from './shape.ts'
import { documentShape } from './shapes.ts'
import { parseYaml } from './yaml.ts'

/** A policy that can be put in force, or everything that is wrong with the text. */
export type LoadedText =
  | {
      readonly ok: true
      readonly policy: CompiledPolicy
      readonly document: PolicyDocument
      readonly warnings: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** The longest text that is read as a policy, in UTF-16 units; YAML is far dearer to read. */
export const MAX_POLICY_TEXT = { json: 32_000_000, yaml: 4_000_000 } as const

/** Loads a policy from JSON or YAML. Total: any text gives a policy or problems. */
export function loadPolicy(
  text: string,
  options: { readonly format?: 'json' | 'yaml' | 'intercept' } = {},
): LoadedText {
  const findings = createFindings(text)
  const refused = (): LoadedText => ({ ok: false, problems: findings.list('problem') })
  const format = options.format === 'intercept' ? 'yaml' : (options.format ?? formatOf(text))
  if (text.length > MAX_POLICY_TEXT[format]) {
    findings.report({
      level: 'problem',
      pointer: '',
      offset: 0,
      message: `the policy is longer than ${MAX_POLICY_TEXT[format]} characters of ${format.toUpperCase()}`,
    })
    return refused()
  }
  const root =
    format === 'json' ? parseJson(text, findings.report) : parseYaml(text, findings.report)
  if (root === undefined) return refused()
  reportDuplicates(root, '', findings.report)
  const patterns = createPatterns()
  const isImported = options.format === 'intercept' || (format === 'yaml' && isIntercept(root))
  const document = isImported
    ? importDocument(root, patterns, findings.report)
    : checkDocument(root, patterns, findings.report)
  const problems = findings.list('problem')
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    policy: compilePolicy(document, patterns),
    document,
    warnings: findings.list('warning'),
  }
}

/** Imports a policy of PolicyLayer's Intercept: the same decisions, or a problem for each lost. */
export const importIntercept = (text: string): LoadedText =>
  loadPolicy(text, { format: 'intercept' })

function checkDocument(root: JsonNode, patterns: Patterns, report: Report): PolicyDocument {
  documentShape(patterns).root.check(root, '', report)
  checkWhole(root, report)
  // INVARIANT: used only when nothing was reported; this is where a text becomes a document.
  return toValue(root) as Json as unknown as PolicyDocument
}

const formatOf = (text: string): 'json' | 'yaml' => (/^\s*\{/.test(text) ? 'json' : 'yaml')

function parseJson(text: string, report: Report): JsonNode | undefined {
  try {
    return parseNodes(text)
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown
    report({
      level: 'problem',
      pointer: '',
      offset: Math.min(thrown.offset, text.length),
      message: `not JSON: ${thrown.message}`,
    })
    return undefined
  }
}
