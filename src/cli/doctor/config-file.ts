import { statSync } from 'node:fs'
import { type Config, emptyConfig, type FileGrant } from '../config/config-model.ts'
import type { Environment } from '../config.ts'
import { loadConfig } from '../config.ts'
import { loadPolicyFile } from '../load.ts'
import { type Finding, finder } from './finding.ts'

/** Is the configuration valid, are its policies, and are its secrets kept from others? */
export function checkConfig(
  file: string | undefined,
  env: Environment,
): { config: Config | undefined; findings: readonly Finding[] } {
  const { ok, warn, fail } = finder('configuration')
  if (file === undefined)
    return {
      config: emptyConfig,
      findings: [
        warn('there is no sallyport.yaml here', 'name one with `--config FILE`, or write one'),
      ],
    }
  const read = loadConfig(file, env)
  if (!read.ok)
    return {
      config: undefined,
      findings: read.problems.map((p) =>
        fail(`${file}:${p.line}:${p.column}: ${p.message}`, p.hint ?? 'correct it'),
      ),
    }
  const { config } = read
  const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`
  const sizes = [
    count(config.servers.size, 'server', 'servers'),
    count(config.policies.size, 'policy', 'policies'),
    ...(config.stacks.size === 0 ? [] : [count(config.stacks.size, 'stack', 'stacks')]),
    count(config.grants.size, 'grant', 'grants'),
  ].join(', ')
  const findings: Finding[] = [ok(`${file} is valid: ${sizes}`)]
  if (config.literalSecrets.length > 0 && (statSync(file).mode & 0o044) !== 0)
    findings.push(
      warn(
        `${file} holds tokens and can be read by others`,
        `chmod 600 ${file}, or take the tokens from the environment`,
      ),
    )
  for (const grant of config.grants.values()) findings.push(...checkGrant(config, grant))
  for (const [name, policy] of config.policies) findings.push(...checkPolicy(name, policy))
  return { config, findings }
}

function checkGrant(config: Config, grant: FileGrant): readonly Finding[] {
  const { warn } = finder('configuration')
  if (grant.policy !== undefined) return []
  if (grant.stack === undefined)
    return [warn(`grant ${grant.label} has no policy: everything is denied`, 'give it a `policy`')]
  const { name, policies } = grant.stack
  const bare = (config.stacks.get(name)?.servers ?? []).filter((m) => policies[m] === undefined)
  return bare.map((member) =>
    warn(
      `grant ${grant.label} has no policy for ${member}: everything there is denied`,
      'name one under `policies`, or a `policy` for all',
    ),
  )
}

function checkPolicy(name: string, file: string): readonly Finding[] {
  const { ok, fail } = finder(`policy ${name}`)
  const loaded = loadPolicyFile(name, file)
  if (loaded.ok) return [ok('valid')]
  return loaded.problems.map((p) =>
    fail(`${p.file}:${p.line}:${p.column}: ${p.message}`, p.hint ?? 'correct it'),
  )
}
