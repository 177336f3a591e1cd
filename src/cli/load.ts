import { extname } from 'node:path'
import { loadPolicy } from '../core/policy/index.ts'
import type { Problem } from '../core/problem.ts'
import type { LoadedPolicy } from '../core/snapshot.ts'
import { type Config, emptyConfig } from './config/config-model.ts'
import { fileId } from './config/secret.ts'
import { type Environment, loadConfig, readConfigText } from './config.ts'
import { textVersion } from './snapshot.ts'

/** A problem with the file that it stands in. */
export interface FileProblem extends Problem {
  readonly file: string
}

/** A configuration with its policies compiled: all that stands in files. */
export interface Loaded {
  readonly config: Config
  readonly policies: ReadonlyMap<string, LoadedPolicy>
}

/** What reading the files gave, and the files to watch either way. */
export type LoadResult =
  | { readonly ok: true; readonly loaded: Loaded; readonly files: readonly string[] }
  | {
      readonly ok: false
      readonly problems: readonly FileProblem[]
      readonly files: readonly string[]
    }

/** Reads something that stands in files; called again whenever one of them has changed. */
export type Load = () => LoadResult

/** Loads `sallyport.yaml` and every policy that it names; no file gives the empty configuration. */
export function loadFiles(file: string | undefined, env: Environment): LoadResult {
  if (file === undefined) return loadPolicies(emptyConfig, [])
  const read = loadConfig(file, env)
  if (read.ok) return loadPolicies(read.config, [file])
  return { ok: false, problems: read.problems.map((p) => ({ ...p, file })), files: [file] }
}

/** Compiles the policies that a configuration names; `files` are watched besides theirs. */
export function loadPolicies(config: Config, files: readonly string[]): LoadResult {
  const problems: FileProblem[] = []
  const policies = new Map<string, LoadedPolicy>()
  const watched = new Set(files)
  for (const [name, file] of config.policies) {
    watched.add(file)
    const policy = loadPolicyFile(name, file)
    if (policy.ok) policies.set(name, policy.policy)
    else problems.push(...policy.problems)
  }
  const all = [...watched]
  if (problems.length > 0) return { ok: false, problems, files: all }
  return { ok: true, loaded: { config, policies }, files: all }
}

/** Reads and compiles one policy file, ours or Intercept's, JSON or YAML. */
export function loadPolicyFile(
  name: string,
  file: string,
): { ok: true; policy: LoadedPolicy } | { ok: false; problems: readonly FileProblem[] } {
  const text = readConfigText(file)
  if (typeof text !== 'string') return { ok: false, problems: [{ ...text, file }] }
  const result = loadPolicy(text, { format: policyFormat(file) })
  if (!result.ok) return { ok: false, problems: result.problems.map((p) => ({ ...p, file })) }
  return {
    ok: true,
    policy: {
      id: fileId('policy', name),
      name,
      version: textVersion(text),
      policy: result.policy,
    },
  }
}

/** JSON for `.json`, else YAML (of which JSON is a part). */
export const policyFormat = (file: string): 'json' | 'yaml' =>
  extname(file).toLowerCase() === '.json' ? 'json' : 'yaml'

/** One problem as one line: `file:line:col: message (hint)`. */
export const problemLine = (p: FileProblem): string =>
  `${p.file}:${p.line}:${p.column}: ${p.message}${p.hint === undefined ? '' : ` (${p.hint})`}`
