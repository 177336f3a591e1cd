import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import { parseNodes, toValue } from '../json/parse.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from './json-text.ts'
import { type LoadedText, loadPolicy } from './load.ts'
import type { AccessRequest, Category, Decision, Severity } from './model.ts'
import { parseYaml } from './yaml.ts'

/**
 * One case of a corpus: a policy, a request, and what is wanted. `test/cases/README.md` tells the
 * members; the same cases are run by the tests, by the command line and in the browser.
 */
export interface PolicyCase {
  readonly name: string
  /** A policy as a value, or as text where its very spelling matters. */
  readonly policy: Json
  readonly request: JsonObject
  readonly want: JsonObject
  readonly why: string
}

/** What a case gave: nothing wrong, or each difference in one line. */
export interface CaseResult {
  readonly name: string
  readonly differences: readonly string[]
}

/** Reads the cases of one file; a malformed file throws, as it is a programming error. */
export function parseCases(text: string): readonly PolicyCase[] {
  const problems: string[] = []
  const root = parseYaml(text, (finding) => problems.push(finding.message))
  const value = root === undefined ? undefined : toValue(root)
  if (problems.length > 0 || !Array.isArray(value))
    throw new Error(`not a list of cases: ${problems.join('; ')}`)
  return value.map((item: Json): PolicyCase => {
    const part = (key: string): Json | undefined => (isObject(item) ? member(item, key) : undefined)
    const request = part('request') ?? {}
    const want = part('want')
    if (!isObject(request) || !isObject(want)) throw new Error('a case has no `want`')
    return {
      name: String(part('name')),
      policy: part('policy') ?? {},
      request,
      want,
      why: String(part('why') ?? ''),
    }
  })
}

/** The policy of a case, loaded. */
export const loadCasePolicy = ({ policy }: Pick<PolicyCase, 'policy'>): LoadedText =>
  loadPolicy(typeof policy === 'string' ? policy : jsonText(policy))

const textOf = (value: Json | undefined, byDefault: string): string =>
  typeof value === 'string' ? value : byDefault

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** The request of a case; what it leaves out is an advertised tool that reads, called by nobody. */
export function requestOf(request: JsonObject): AccessRequest {
  const at = (key: string): Json | undefined => member(request, key)
  const grant = objectOf(at('grant'))
  const client = objectOf(at('client'))
  const session = at('session')
  // As text, so that a case can hold what YAML can not: exact numbers, odd keys.
  const args = at('args_json')
  return {
    subject: {
      grant: { id: 'g', label: textOf(grant.label, ''), tags: objectOf(grant.tags) },
      session: typeof session === 'string' ? session : undefined,
      client: { name: textOf(client.name, ''), version: textOf(client.version, '') },
    },
    tool: {
      server: textOf(at('server'), 'server'),
      name: textOf(at('tool'), ''),
      isAdvertised: at('advertised') !== false,
      category: textOf(at('category'), 'Read') as Category,
      severity: textOf(at('severity'), 'Low') as Severity,
      annotations: objectOf(at('annotations')),
      properties: objectOf(at('properties')),
    },
    args: objectOf(typeof args === 'string' ? toValue(parseNodes(args)) : at('args')),
    context: {
      at: Date.parse(textOf(at('at'), '2026-01-05T12:00:00Z')),
      counters: new Map(Object.entries(objectOf(at('counters')))),
    },
  }
}

/** Runs one case. */
export function runCase(policyCase: PolicyCase): CaseResult {
  const { name, want } = policyCase
  const loaded = loadCasePolicy(policyCase)
  if (want.problems !== undefined)
    return {
      name,
      differences: loaded.ok
        ? ['the policy was expected to be refused, and was loaded']
        : compareProblems(loaded.problems, want.problems),
    }
  if (!loaded.ok)
    return {
      name,
      differences: loaded.problems.map((p) => `the policy was refused: ${p.pointer} ${p.message}`),
    }
  const got = want.warnings === undefined ? [] : compareProblems(loaded.warnings, want.warnings)
  if (want.effect === undefined) return { name, differences: got }
  const item = itemOf(policyCase.request)
  const request = requestOf(policyCase.request)
  const decision =
    item === undefined
      ? loaded.policy.decide(request)
      : loaded.policy.decideItem(item.kind, item.name)
  const listed =
    item === undefined
      ? loaded.policy.isHidden(request.tool)
      : loaded.policy.isItemHidden(item.kind, item.name)
  return { name, differences: [...got, ...compareDecision(decision, want, listed)] }
}

function itemOf(
  request: JsonObject,
): { readonly kind: 'prompts' | 'resources'; readonly name: string } | undefined {
  if (typeof request.prompt === 'string') return { kind: 'prompts', name: request.prompt }
  if (typeof request.resource === 'string') return { kind: 'resources', name: request.resource }
  return undefined
}

function compareProblems(got: readonly Problem[], want: Json): readonly string[] {
  const wanted = Array.isArray(want) ? (want as readonly Json[]) : []
  return wanted.flatMap((item) => {
    const { pointer, message, hint, line } = objectOf(item)
    const fits = got.some(
      (p) =>
        (pointer === undefined || p.pointer === pointer) &&
        (message === undefined || p.message.includes(String(message))) &&
        (hint === undefined || (p.hint ?? '').includes(String(hint))) &&
        (line === undefined || p.line === line),
    )
    const told = got.map((p) => `${p.line}: ${p.pointer} ${p.message} (${p.hint ?? ''})`)
    return fits ? [] : [`nothing says ${jsonText(item)}; found ${told.join(' | ') || 'nothing'}`]
  })
}

/** The decision with what a case can want of it. */
function factsOf(decision: Decision, isHidden: boolean): Readonly<Record<string, Json>> {
  const facts = { effect: decision.effect, rule: decision.rule, hidden: isHidden }
  if (decision.effect === 'deny') return facts
  return {
    ...facts,
    limits: decision.limits.map((use) => ({
      pointer: use.pointer,
      counter: use.limit.counter,
      amount: String(use.amount),
      max: String(use.limit.max),
      scope: use.limit.scope,
      mode: use.mode,
    })),
    observed:
      decision.observed === undefined
        ? null
        : { effect: decision.observed.effect, rule: decision.observed.rule },
    ...(decision.effect === 'approve'
      ? {
          need: {
            message: decision.need.message,
            expires_ms: decision.need.expiresMs,
            approvals: decision.need.approvals,
            remember_ms: decision.need.rememberMs,
          },
        }
      : {}),
  }
}

function compareDecision(
  decision: Decision,
  want: JsonObject,
  isHidden: boolean,
): readonly string[] {
  const facts = factsOf(decision, isHidden)
  return Object.entries(want).flatMap(([key, wanted]) => {
    if (key === 'warnings') return []
    if (key === 'message') return textDiffers(decision.message, String(wanted))
    if (key === 'not_in_message')
      return decision.message.includes(String(wanted)) ? [`the message tells \`${wanted}\``] : []
    const got = facts[key]
    return got !== undefined && covers(got, wanted)
      ? []
      : [`${key}: wanted ${jsonText(wanted)}, got ${got === undefined ? 'none' : jsonText(got)}`]
  })
}

const textDiffers = (got: string, wanted: string): readonly string[] =>
  got.includes(wanted) ? [] : [`message: wanted \`${wanted}\`, got \`${got}\``]

/** True when `got` has everything that is wanted: lists of equal length, objects at least. */
function covers(got: Json, want: Json): boolean {
  if (Array.isArray(want))
    return (
      Array.isArray(got) &&
      got.length === want.length &&
      want.every((item, i) => covers(got[i] as Json, item))
    )
  if (isObject(want))
    return (
      isObject(got) &&
      Object.entries(want).every(
        ([key, item]) => Object.hasOwn(got, key) && covers(got[key] as Json, item),
      )
    )
  return String(got) === String(want)
}
