import { isObject, type Json, type JsonObject, member } from '../json/json.ts'
import type {
  ApprovalRuleDocument,
  ConditionDocument,
  EntryDocument,
  LimitDocument,
  PolicyDocument,
  RuleDocument,
} from '../policy/document.ts'
import type { Category } from '../policy/model.ts'
import type { Finding } from './findings/finding.ts'
import { type CheckId, compareSeverities, poisoning } from './findings/index.ts'
import {
  type Classification,
  compareCategories,
  type Operation,
  type ToolDefinition,
} from './model.ts'

/** A tool with all that is known of it. */
export interface JudgedTool {
  readonly name: string
  readonly definition: ToolDefinition
  readonly classification: Classification
  readonly findings: readonly Finding[]
}

/** Calls in a minute; what is not here is unlimited, or needs a person. */
const PER_MINUTE: Partial<Record<Category, number>> = { Write: 30, Execute: 10 }
const MAX_CONDITIONS = 20
const MAX_CHOICES = 200
const MAX_COUNTER = 120
const MAX_NAME = 1_000
const MAX_ARGUMENT = 200
const SCHEMA_ID = 'https://sallyport.dev/schema/policy.v1.json'

/** What to do about one tool: its entry, or that it should not be listed at all. */
export interface RecommendedTool {
  readonly entry: EntryDocument
  /** True where its definition attacks whoever reads it. */
  readonly isHidden: boolean
}

/** The rules that fit a tool: by its category, by what its schema says, and by its findings. */
export function recommendTool({
  name,
  definition,
  classification,
  findings,
}: JudgedTool): RecommendedTool {
  const { category, operations } = classification
  const isHidden = findings.some(
    ({ id, severity }) =>
      poisoning.includes(id as CheckId) && compareSeverities(severity, 'High') >= 0,
  )
  if (operations.length > 0) return { entry: byOperation(name, operations), isHidden }
  if (needsPerson(category))
    return { entry: { action: 'approve', reason: reasonOf(category) }, isHidden }
  const limits = limitsOf(name, category)
  const rules = category === 'Execute' ? schemaRules(definition) : []
  return {
    entry: {
      ...(rules.length === 0 ? {} : { require: rules }),
      ...(limits === undefined ? {} : { limits }),
    },
    isHidden,
  }
}

/** The policy of a server: what each tool may do, and nothing else. */
export function recommendServer(server: string, tools: readonly JudgedTool[]): PolicyDocument {
  const hide: string[] = []
  const entries: Record<string, EntryDocument> = Object.create(null)
  // Of two tools of one name, which a server should not list, the graver one is the last to be written.
  const sorted = tools.toSorted(
    (a, b) =>
      (a.name === b.name ? 0 : a.name < b.name ? -1 : 1) ||
      compareCategories(a.classification.category, b.classification.category),
  )
  for (const tool of sorted) {
    const { entry, isHidden } = recommendTool(tool)
    if (!isNameable(tool.name)) continue
    if (isHidden) hide.push(tool.name)
    else entries[tool.name] = entry
  }
  for (const name of hide) delete entries[name]
  return {
    $schema: SCHEMA_ID,
    version: '1',
    description: `Recommended for ${server}: reading is allowed, writing and executing are limited, destructive and financial calls need a person, anything else is denied.`,
    default: 'deny',
    ...(hide.length === 0 ? {} : { hide: [...new Set(hide)] }),
    tools: entries,
    prompts: { default: 'deny' },
    resources: { default: 'deny' },
  }
}

/**
 * INVARIANT: a name with `*` or `?` would be read as a pattern, and a server could so open tools that
 * it names later. Such a tool, and one whose name no policy can hold, gets no entry and stays denied.
 */
const isNameable = (name: string): boolean =>
  name !== '' && name.length <= MAX_NAME && !/[*?]/.test(name)

const needsPerson = (category: Category): boolean => compareCategories(category, 'Destructive') >= 0

const reasonOf = (category: Category): string =>
  category === 'Financial' ? 'It moves or commits money.' : 'What it does can not be taken back.'

function limitsOf(name: string, category: Category): readonly LimitDocument[] | undefined {
  const max = PER_MINUTE[category]
  if (max === undefined) return undefined
  const plain = name.toLowerCase().slice(0, MAX_COUNTER)
  // A counter's name can not begin with a parenthesis: those are the engine's own.
  const counter = `${plain.startsWith('(') ? 'tool ' : ''}${plain}_rate`
  return [{ counter, window: 'minute', max, scope: 'grant' }]
}

/** The values that are known, a person for the dangerous ones, and the limit of the worst that is left. */
function byOperation(name: string, operations: readonly Operation[]): EntryDocument {
  const path = pathOf(operations[0]?.argument ?? '')
  const known = operations.map(({ value }) => value)
  const grave = operations.filter(({ category }) => needsPerson(category))
  const [worst] = operations
    .filter(({ category }) => !needsPerson(category))
    .toSorted((a, b) => compareCategories(b.category, a.category))
  const limits = worst === undefined ? undefined : limitsOf(name, worst.category)
  const require: RuleDocument[] = [
    { name: 'known_operation', conditions: [{ path, op: 'in', value: known }] },
  ]
  const approve_if: ApprovalRuleDocument[] = [
    {
      name: 'grave_operation',
      conditions: [{ path, op: 'in', value: grave.map(({ value }) => value) }],
      message: 'This operation can not be taken back, or moves money.',
    },
  ]
  return {
    require,
    ...(grave.length === 0 ? {} : { approve_if }),
    ...(limits === undefined ? {} : { limits }),
  }
}

/** What the input schema says of the arguments, as rules: types, choices, ranges, lengths. */
function schemaRules(definition: ToolDefinition): readonly RuleDocument[] {
  const schema = isObject(definition) ? member(definition, 'inputSchema') : undefined
  const properties = isObject(schema) ? member(schema, 'properties') : undefined
  if (!isObject(schema) || !isObject(properties)) return []
  const listed = member(schema, 'required')
  const required = new Set(Array.isArray(listed) ? listed : [])
  const conditions: ConditionDocument[] = []
  for (const name of Object.keys(properties)) {
    const property = properties[name]
    if (!isObject(property) || name.length > MAX_ARGUMENT) continue
    if (conditions.length >= MAX_CONDITIONS) break
    for (const { op, value } of constraintsOf(property))
      conditions.push({
        path: pathOf(name),
        op,
        value,
        ...(required.has(name) ? {} : { if_absent: true }),
      })
  }
  if (conditions.length === 0) return []
  return [
    {
      name: 'arguments_as_declared',
      conditions: conditions.slice(0, MAX_CONDITIONS),
      on_deny: 'An argument is not what the tool declares.',
    },
  ]
}

type Constraint = {
  readonly op: 'in' | 'type' | 'lte' | 'gte' | 'length_lte'
  readonly value: Json
}

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])

function constraintsOf(property: JsonObject): readonly Constraint[] {
  const constant = member(property, 'const')
  if (constant !== undefined) return [{ op: 'in', value: [constant] }]
  const choices = member(property, 'enum')
  if (Array.isArray(choices) && choices.length > 0 && choices.length <= MAX_CHOICES)
    return [{ op: 'in', value: choices }]
  const found: Constraint[] = []
  const types = typesOf(member(property, 'type'))
  if (types.length > 0) found.push({ op: 'type', value: types })
  // A range says nothing of what is not a number.
  const isNumber = types.every((type) => type === 'number') && types.length > 0
  for (const [key, op] of [
    ['minimum', 'gte'],
    ['maximum', 'lte'],
  ] as const) {
    const bound = member(property, key)
    if (isNumber && typeof bound === 'number') found.push({ op, value: bound })
  }
  const longest = member(property, 'maxLength')
  if (
    typeof longest === 'number' &&
    Number.isSafeInteger(longest) &&
    longest >= 0 &&
    types.join() === 'string'
  )
    found.push({ op: 'length_lte', value: longest })
  return found
}

function typesOf(type: Json | undefined): readonly string[] {
  const listed = (Array.isArray(type) ? type : [type]).filter(
    (t): t is string => typeof t === 'string' && TYPES.has(t),
  )
  return [...new Set(listed.map((t) => (t === 'integer' ? 'number' : t)))]
}

const pathOf = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) ? `args.${name}` : `args[${JSON.stringify(name)}]`
