import type { Json, JsonObject } from '../json/json.ts'
import { isObject } from '../json/json.ts'
import { MAX_UNITS, toMillionths } from './amount.ts'
import { isTimezone } from './calendar.ts'
import { conditionShape, pathShape } from './condition-shape.ts'
import { MAX_DURATION_MS, parseDuration, parseWindow } from './duration.ts'
import { isGlob } from './glob.ts'
import { parseRate } from './limit.ts'
import { didYouMean } from './nearest.ts'
import { MAX_GLOB } from './operand-shape.ts'
import { parsePath } from './path.ts'
import type { Patterns } from './pattern.ts'
import {
  complain,
  flag,
  list,
  map,
  named,
  number,
  record,
  refined,
  type Shape,
  scalarOf,
  text,
  word,
} from './shape.ts'
import { algorithms, categories, modes, scopes, severities, windowNames } from './vocabulary.ts'

/** The shape of a policy document; the validator and the JSON Schema are both made of it. */
export interface DocumentShape {
  readonly root: Shape
  /** What `$ref` of the schema names. */
  readonly definitions: Readonly<Record<string, Shape>>
}

/** Texts that people read: long enough for any sentence. */
const MAX_TEXT = 2000
/** Names of counters and rules. */
const MAX_NAME = 128

const message = (what: string): Shape => text(what, { max: MAX_TEXT })

const duration = (what: string): Shape =>
  refined(
    text(what),
    (value) =>
      parseDuration(String(value)) === undefined
        ? {
            message: `expected ${what} of at most ${MAX_DURATION_MS / 86_400_000} days`,
            hint: 'write `90s`, `15m`, `2h` or `7d`',
          }
        : undefined,
    { pattern: '^[1-9][0-9]{0,8}[smhd]$' },
  )

const amount = (what: string): Shape =>
  refined(number(what, { minimum: 0, maximum: Number(MAX_UNITS) }), (value) => {
    const millionths = toMillionths(value)
    return typeof millionths === 'string'
      ? {
          message: `expected ${what}, but ${millionths}`,
          hint: `at most ${MAX_UNITS} with 6 decimals`,
        }
      : undefined
  })

const counterName: Shape = refined(
  text('the name of the counter', { min: 1, max: MAX_NAME }),
  (value) =>
    String(value).startsWith('(')
      ? { message: 'the name of a counter can not begin with `(`' }
      : undefined,
  { pattern: '^[^(]' },
)

const windowShape: Shape = refined(
  text('a window'),
  (value) =>
    parseWindow(String(value)) === undefined
      ? {
          message: `expected a window, found \`${String(value).slice(0, 60)}\``,
          hint:
            didYouMean(String(value), windowNames) ??
            `write ${windowNames.map((w) => `\`${w}\``).join(', ')} or a duration as \`90s\``,
        }
      : undefined,
  { pattern: `^(${windowNames.join('|')}|[1-9][0-9]{0,8}[smhd])$` },
)

const incrementFrom: Shape = refined(pathShape, (value) => {
  const path = parsePath(String(value))
  if (!('segments' in path)) return undefined
  if (path.root !== 'args' || path.segments.length === 0)
    return { message: '`increment_from` reads an argument', hint: 'write a path as `args.amount`' }
  return path.segments.some((segment) => segment.kind === 'each')
    ? { message: '`increment_from` reads one number, so that its path can not have `[*]`' }
    : undefined
})

/** A rule of one field that depends on another: told at the object. */
const coupled = (
  shape: Shape,
  rule: (value: JsonObject) => { message: string; hint?: string } | undefined,
  schema: JsonObject = {},
): Shape => refined(shape, (value: Json) => (isObject(value) ? rule(value) : undefined), schema)

const limit: Shape = coupled(
  record(
    {
      counter: counterName,
      window: windowShape,
      max: amount('the most that may be consumed in one window'),
      scope: word(scopes, 'whose counter it is'),
      increment: amount('what one call consumes'),
      increment_from: incrementFrom,
      on_error: word(['deny', 'allow'], 'what happens when the counter can not be asked'),
      algorithm: word(algorithms, 'how the window moves'),
      on_deny: message('what the caller is told'),
    },
    ['counter', 'max'],
    'the limit',
  ),
  (value) => {
    const isConcurrent = value.algorithm === 'concurrent'
    if (isConcurrent && value.window !== undefined)
      return { message: 'a limit of `concurrent` calls has no `window`', hint: 'remove `window`' }
    if (!isConcurrent && value.window === undefined)
      return { message: 'the limit has no `window`', hint: 'add `window`, as `"window": "day"`' }
    return value.increment !== undefined && value.increment_from !== undefined
      ? {
          message: 'the limit has both `increment` and `increment_from`',
          hint: 'keep one of the two',
        }
      : undefined
  },
  {
    if: { properties: { algorithm: { const: 'concurrent' } }, required: ['algorithm'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { not: { required: ['window'] } },
    else: { required: ['window'] },
    not: { required: ['increment', 'increment_from'] },
  },
)

const RATE_HINT = 'write `"10/minute"`, or `{ "max": 10, "window": 60 }`'

const rateText: Shape = refined(
  text('a rate'),
  (value) =>
    parseRate(String(value)) === undefined
      ? { message: `expected a rate, found \`${String(value).slice(0, 60)}\``, hint: RATE_HINT }
      : undefined,
  { pattern: `^(0|[1-9][0-9]{0,8})/(${windowNames.join('|')}|[1-9][0-9]{0,8}[smhd])$` },
)

const seconds: Shape = refined(
  number('a window in seconds', { minimum: 1, maximum: MAX_DURATION_MS / 1000, multipleOf: 1 }),
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) * 1000 <= MAX_DURATION_MS
      ? undefined
      : { message: 'expected a whole number of seconds, from 1 to the seconds of 366 days' },
)

const rateWindow: Shape = {
  schema: { anyOf: [windowShape.schema, seconds.schema] },
  check: (node, pointer, report) =>
    (typeof scalarOf(node) === 'string' ? windowShape : seconds).check(node, pointer, report),
}

const rateObject = record(
  {
    max: refined(
      number('how many calls', { minimum: 0, maximum: 999_999_999, multipleOf: 1 }),
      (value) =>
        Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 999_999_999
          ? undefined
          : { message: 'expected a whole number of calls' },
    ),
    window: rateWindow,
  },
  ['max', 'window'],
  'the rate limit',
)

const rate: Shape = {
  schema: { anyOf: [rateText.schema, rateObject.schema] },
  check(node, pointer, report) {
    if (node.kind === 'object') rateObject.check(node, pointer, report)
    else if (typeof scalarOf(node) === 'string') rateText.check(node, pointer, report)
    else complain(report, { node, pointer }, 'expected a rate', RATE_HINT)
  },
}

const nameOrGlob = (what: string): Shape =>
  refined(text(what, { min: 1, max: 4096 }), (value) =>
    isGlob(String(value)) && String(value).length > MAX_GLOB
      ? { message: `a glob is at most ${MAX_GLOB} characters long` }
      : undefined,
  )

const riskNames: readonly string[] = [...categories, ...severities]

const people: Shape = refined(
  number('how many people', { minimum: 1, maximum: 100, multipleOf: 1 }),
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 100
      ? undefined
      : { message: 'expected a whole number of people, from 1 to 100' },
)

const remember: Shape = refined(
  text('how long an approval is remembered'),
  (value) =>
    value === 'call' || parseDuration(String(value)) !== undefined
      ? undefined
      : {
          message: 'expected `call` or a duration',
          hint: 'write `call`, `15m`, `2h` or `7d`',
        },
  { pattern: '^(call|[1-9][0-9]{0,8}[smhd])$' },
)

/** Builds the shape of a document; `patterns` keeps what it compiled, for the compiler. */
export function documentShape(patterns: Patterns): DocumentShape {
  const condition = conditionShape(patterns)
  const conditions = list(condition, 'conditions')
  const name = text('the name of the rule', { max: MAX_NAME })
  const rule = named('rule', () =>
    record(
      { name, conditions, on_deny: message('what the caller is told') },
      ['conditions'],
      'the rule',
    ),
  )
  const approvalRule = named('approvalRule', () =>
    record(
      {
        name,
        conditions,
        message: message('what the person is asked'),
        expires: duration('how long is waited for a person'),
        approvals: people,
        remember,
      },
      ['conditions'],
      'the rule',
    ),
  )
  const limitNamed = named('limit', () => limit)
  const limits = list(limitNamed, 'limits')
  const entry = named('entry', () =>
    record(
      {
        action: word(['allow', 'deny', 'hide', 'approve'], 'what happens to every call'),
        reason: message('why, for the caller'),
        deny_if: list(rule, 'rules that deny'),
        require: list(rule, 'rules that must hold'),
        approve_if: list(approvalRule, 'rules that ask a person'),
        limits,
        rate_limit: rate,
        mode: word(modes, 'whether the entry binds'),
      },
      [],
      'the entry',
    ),
  )
  const items = named('items', () =>
    record(
      {
        default: word(['allow', 'deny', 'hide'], 'what happens to what no list names'),
        hide: list(nameOrGlob('a name or glob'), 'what is left out'),
        deny: list(nameOrGlob('a name or glob'), 'what is denied'),
        approve: list(nameOrGlob('a name or glob'), 'what a person must approve'),
        allow: list(nameOrGlob('a name or glob'), 'what is allowed'),
        limits: list(
          coupled(limitNamed, (value) =>
            value.increment_from === undefined
              ? undefined
              : { message: '`increment_from` has no arguments to read here' },
          ),
          'limits',
        ),
      },
      [],
      'the rules',
    ),
  )
  const root = record(
    {
      $schema: text('the address of the schema'),
      version: versionShape,
      description: text('what the policy is for'),
      default: word(['deny', 'allow', 'hide'], 'what happens to tools that no entry matches'),
      hide: list(nameOrGlob('a tool name or glob'), 'tools that are hidden'),
      all_tools: entry,
      risk: map(riskKey, entry, '`risk`'),
      tools: map(toolKey, entry, '`tools`'),
      pin: flag('whether a changed tool is withheld'),
      strict_arguments: flag('whether arguments must satisfy the input schema'),
      timezone: refined(text('a time zone'), (value) =>
        isTimezone(String(value))
          ? undefined
          : {
              message: `unknown time zone \`${String(value).slice(0, 60)}\``,
              hint: 'write an IANA name, as `Europe/Berlin`',
            },
      ),
      mode: word(modes, 'whether the policy binds'),
      prompts: items,
      resources: items,
    },
    ['version', 'default'],
    'the policy',
  )
  const definitions = { condition, rule, approvalRule, limit: limitNamed, entry, items }
  return {
    root,
    definitions: Object.fromEntries(
      Object.entries(definitions).map(([key, shape]) => [key, shape.defined()]),
    ),
  }
}

const versionShape: Shape = {
  schema: { const: '1', description: 'the version of the policy language' },
  check(node, pointer, report) {
    if (scalarOf(node) !== '1')
      complain(report, { node, pointer }, 'the only known version is `"1"`', 'write `"1"`')
  },
}

const toolKey = {
  schema: { minLength: 1, maxLength: 4096 },
  problem: (key: string) => {
    if (key === '') return { message: 'the name of a tool can not be empty' }
    if (isGlob(key) && key.length > MAX_GLOB)
      return { message: `a glob is at most ${MAX_GLOB} characters long` }
    return key.length > 4096 ? { message: 'the name of a tool is too long' } : undefined
  },
}

const riskKey = {
  schema: { enum: riskNames },
  problem: (key: string) =>
    riskNames.includes(key)
      ? undefined
      : {
          message: `unknown risk \`${key.slice(0, 60)}\`; a risk is a category or a severity`,
          hint:
            didYouMean(key, riskNames) ?? `write ${riskNames.map((n) => `\`${n}\``).join(', ')}`,
        },
}
