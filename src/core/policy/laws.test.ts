import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideByReference } from '../../../test/cases/policy/reference.ts'
import type { Json, JsonObject } from '../json/json.ts'
import { requestOf } from './cases.ts'
import { compilePolicy } from './compile.ts'
import type { ConditionDocument, EntryDocument, PolicyDocument, RuleDocument } from './document.ts'
import { explain } from './explain.ts'
import { formatExplanation } from './format-explanation.ts'
import { loadPolicy } from './load.ts'

const keys = ['a', 'b', 'c'] as const
const anyKey = fc.constantFrom(...keys)
const anyScalar: fc.Arbitrary<Json> = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('x', 'y', '1', '-2', '', 'xy', true, false, null, 0.5),
)
const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: anyScalar },
  fc.array(anyScalar, { maxLength: 3 }),
  fc.dictionary(anyKey, anyScalar, { maxKeys: 2 }),
)
const anyArgs: fc.Arbitrary<JsonObject> = fc.dictionary(anyKey, anyValue, { maxKeys: 3 })

const anyNumber = fc.integer({ min: -3, max: 3 })
const anyText = fc.constantFrom('x', 'y', '1', '')
const anyPath = anyKey.map((key) => `args.${key}`)
const predicate = (
  ops: readonly string[],
  value: fc.Arbitrary<Json>,
): fc.Arbitrary<ConditionDocument> =>
  fc.record({
    path: anyPath,
    op: fc.constantFrom(...ops),
    value,
  }) as fc.Arbitrary<ConditionDocument>

const anyOrdering = predicate(['lt', 'lte', 'gt', 'gte'], anyNumber)
const anyPositive = fc.oneof(
  anyOrdering,
  predicate(['eq'], anyValue),
  predicate(['in'], fc.array(anyScalar, { maxLength: 3 })),
  predicate(['regex', 'starts_with', 'ends_with', 'glob'], anyText),
  predicate(['contains'], anyScalar),
  predicate(['length_lte', 'length_gte'], fc.nat({ max: 3 })),
  predicate(['type'], fc.constantFrom('string', 'number', 'array')),
)
const anyPredicate = fc.oneof(
  anyPositive,
  predicate(['neq'], anyValue),
  predicate(['not_in'], fc.array(anyScalar, { maxLength: 3 })),
  predicate(['exists'], fc.boolean()),
  fc
    .tuple(anyPositive, fc.boolean())
    .map(([condition, if_absent]) => ({ ...condition, if_absent }) as ConditionDocument),
)
const combined = (leaf: fc.Arbitrary<ConditionDocument>): fc.Arbitrary<ConditionDocument> =>
  fc.letrec<{ node: ConditionDocument }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie('node'), { maxLength: 3 }).map((any) => ({ any })),
      tie('node').map((not) => ({ not })),
    ),
  })).node
const anyCondition = combined(anyPredicate)

const rules = (condition: fc.Arbitrary<ConditionDocument>): fc.Arbitrary<RuleDocument[]> =>
  fc.array(fc.record({ conditions: fc.array(condition, { maxLength: 3 }) }), { maxLength: 3 })
const anyEntry: fc.Arbitrary<EntryDocument> = fc.record({
  require: rules(anyCondition),
  deny_if: rules(anyCondition),
  approve_if: rules(anyCondition),
})
const anyPolicy: fc.Arbitrary<PolicyDocument> = fc
  .record({
    t: anyEntry,
    glob: fc.option(anyEntry, { nil: undefined }),
    all: fc.option(anyEntry, { nil: undefined }),
    default: fc.constantFrom('allow', 'deny', 'hide'),
  })
  .map(
    (parts) =>
      ({
        version: '1',
        default: parts.default,
        tools: { t: parts.t, ...(parts.glob === undefined ? {} : { 't*': parts.glob }) },
        ...(parts.all === undefined ? {} : { all_tools: parts.all }),
      }) as PolicyDocument,
  )

const decide = (policy: PolicyDocument, args: JsonObject) =>
  compilePolicy(policy).decide({ ...requestOf({ tool: 't' }), args })

test('the engine agrees with a reference that is written naively', () => {
  fc.assert(
    fc.property(anyPolicy, anyArgs, (policy, args) => {
      expect(decide(policy, args).effect).toBe(decideByReference(policy, args))
    }),
    { numRuns: 3000 },
  )
})

const rank = { deny: 0, approve: 1, allow: 2 }

test('missing information never widens access', () => {
  // Operators whose meaning is absence and conditions with `if_absent` are the written exceptions,
  // and so are lists of what is forbidden: what is not there is not on the list.
  const positive = fc.letrec<{ node: ConditionDocument }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      anyPositive,
      fc.array(tie('node'), { maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie('node'), { maxLength: 3 }).map((any) => ({ any })),
      combined(anyOrdering).map((not) => ({ not })),
    ),
  })).node
  const policies = fc.record({
    require: rules(positive),
    deny_if: rules(combined(anyOrdering)),
    approve_if: rules(combined(anyOrdering)),
  })
  fc.assert(
    fc.property(policies, anyArgs, anyKey, (entry, args, gone) => {
      const policy: PolicyDocument = { version: '1', default: 'deny', tools: { t: entry } }
      const { [gone]: _, ...less } = args
      const before = decide(policy, args).effect
      const after = decide(policy, less).effect
      if (before === 'deny') expect(rank[after]).toBeLessThanOrEqual(rank[before])
    }),
    { numRuns: 3000 },
  )
})

test('the order of rules, conditions and entries does not change the effect', () => {
  const turn = <T>(list: readonly T[] | undefined): T[] => (list ?? []).toReversed()
  const turnRules = (list: readonly RuleDocument[] | undefined): RuleDocument[] =>
    turn(list).map((rule) => ({ ...rule, conditions: turn(rule.conditions) }))
  const turnEntry = (entry: EntryDocument): EntryDocument => ({
    require: turnRules(entry.require),
    deny_if: turnRules(entry.deny_if),
    approve_if: turnRules(entry.approve_if),
  })
  fc.assert(
    fc.property(anyPolicy, anyArgs, (policy, args) => {
      const tools = Object.entries(policy.tools ?? {})
      const turned: PolicyDocument = {
        ...policy,
        tools: Object.fromEntries(turn(tools).map(([name, entry]) => [name, turnEntry(entry)])),
        ...(policy.all_tools === undefined ? {} : { all_tools: turnEntry(policy.all_tools) }),
      }
      expect(decide(turned, args).effect).toBe(decide(policy, args).effect)
    }),
  )
})

test('an entry that is added never widens access where the tool is listed', () => {
  fc.assert(
    fc.property(anyPolicy, anyEntry, anyArgs, (policy, more, args) => {
      const narrowed = { ...policy, tools: { ...policy.tools, '*': more } }
      expect(rank[decide(narrowed, args).effect]).toBeLessThanOrEqual(
        rank[decide(policy, args).effect],
      )
    }),
  )
})

test('explaining comes to the decision and never tells a value', () => {
  fc.assert(
    fc.property(anyPolicy, anyArgs, (policy, args) => {
      const request = { ...requestOf({ tool: 't' }), args: { ...args, secret: 'v4lue-of-it' } }
      const explanation = explain(policy, request)
      expect(explanation.decision).toEqual(compilePolicy(policy).decide(request))
      const fires = explanation.entries.flatMap((e) => e.rules).filter((r) => r.effect !== 'none')
      const effects = new Set(fires.map((rule) => rule.effect))
      const expected = effects.has('deny') ? 'deny' : effects.has('approve') ? 'approve' : 'allow'
      expect(explanation.decision.effect).toBe(expected)
      expect(formatExplanation(explanation, { color: false })).not.toContain('v4lue-of-it')
    }),
  )
})

test('what validation accepts is what was generated, through its text', () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      const loaded = loadPolicy(JSON.stringify(policy))
      expect(loaded.ok ? loaded.document : loaded.problems).toEqual(
        JSON.parse(JSON.stringify(policy)),
      )
    }),
  )
})

test('loading is total: any JSON gives a policy or problems', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const loaded = loadPolicy(text)
      if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0)
    }),
  )
})

test('loading is total: any text gives a policy or problems', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom(...'{}[]:,-"\' &*!|>\n#a1') }),
      ),
      (text) => {
        for (const format of ['json', 'yaml', 'intercept', undefined] as const) {
          const loaded = loadPolicy(text, format === undefined ? {} : { format })
          if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('loading is total: a policy with any part exchanged gives a policy that decides, or problems', () => {
  const exchange = (value: Json, path: readonly number[], by: Json): Json => {
    const [first, ...rest] = path
    if (first === undefined || value === null || typeof value !== 'object') return by
    const entries = Object.entries(value)
    if (entries.length === 0) return by
    const chosen = first % entries.length
    const changed = entries.map(([key, item], i) =>
      i === chosen ? ([key, exchange(item as Json, rest, by)] as const) : ([key, item] as const),
    )
    return Array.isArray(value)
      ? changed.map(([, item]) => item as Json)
      : (Object.fromEntries(changed) as JsonObject)
  }
  fc.assert(
    fc.property(
      anyPolicy,
      fc.array(fc.nat({ max: 5 }), { maxLength: 8 }),
      fc.jsonValue() as fc.Arbitrary<Json>,
      anyArgs,
      (policy, path, by, args) => {
        const text = JSON.stringify(exchange(policy as unknown as Json, path, by))
        const loaded = loadPolicy(text)
        if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0)
        else loaded.policy.decide({ ...requestOf({ tool: 't' }), args })
      },
    ),
    { numRuns: 1000 },
  )
})

test('deep and wide texts are refused, not a stack overflow', () => {
  for (const text of [
    '['.repeat(200_000),
    '{"a":'.repeat(100_000),
    `a: ${'['.repeat(100_000)}`,
    `${'- '.repeat(50_000)}x`,
    'x'.repeat(4_000_001),
    Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
  ]) {
    const loaded = loadPolicy(text)
    expect(loaded.ok).toBe(false)
  }
}, 30_000)
