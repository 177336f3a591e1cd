import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../json/json.ts'
import type { Category, Severity } from '../policy/model.ts'
import { classify } from './classify.ts'
import type { ToolDefinition } from './model.ts'
import { precedence } from './model.ts'

const schemaOf = (properties: { readonly [name: string]: Json }): Json => ({
  type: 'object',
  properties,
})
const tool = (
  name: string,
  description = '',
  properties = {},
  annotations = {},
): ToolDefinition => ({
  name,
  description,
  inputSchema: schemaOf(properties),
  annotations,
})
const categoryOf = (definition: ToolDefinition): Category => classify(definition).category

describe('any JSON is classified', () => {
  test('no definition makes the classifier throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = classify(value as ToolDefinition)
        expect(precedence).toContain(result.category)
        expect(result.confidence).toBeGreaterThanOrEqual(0)
        expect(result.confidence).toBeLessThanOrEqual(1)
      }),
    )
  })
  test('no member of a definition makes the classifier throw', () => {
    const member = fc.jsonValue()
    const definition = fc.record({
      name: fc.oneof(fc.string(), member),
      title: member,
      description: fc.oneof(fc.string(), member),
      inputSchema: fc.oneof(member, fc.record({ properties: member, anyOf: member })),
      annotations: member,
    })
    fc.assert(
      fc.property(definition, (value) => {
        expect(precedence).toContain(categoryOf(value as ToolDefinition))
      }),
    )
  })
  test('the same definition always gives the same classification', () => {
    const definition = tool('delete_user', 'Deletes a user.', { id: {} })
    expect(classify(definition)).toEqual(classify(structuredClone(definition)))
  })
  test('what has no name is of the highest severity', () => {
    expect(classify({}).severity).toBe('Critical')
    expect(classify([] as ToolDefinition).severity).toBe('Critical')
    expect(classify({ name: 7 }).category).toBe('Execute')
  })
  test('keys of the object prototype are properties like any other', () => {
    const definition = JSON.parse(
      '{"name":"__proto__","inputSchema":{"properties":{"__proto__":{"enum":["x"]},"constructor":{}}},"annotations":{"__proto__":{"readOnlyHint":true}}}',
    ) as ToolDefinition
    expect(categoryOf(definition)).toBe('Execute')
    expect(categoryOf(tool('toString'))).toBe('Execute')
    expect(categoryOf(tool('constructor'))).toBe('Execute')
  })
})

describe('work is bounded', () => {
  /** The best of a few runs: a busy machine makes any one of them long. */
  const within = (definition: ToolDefinition): number => {
    classify(definition)
    const runs = Array.from({ length: 5 }, () => {
      const from = performance.now()
      classify(definition)
      return performance.now() - from
    })
    return Math.min(...runs)
  }
  test('a huge name, description and schema cost a few milliseconds', () => {
    const long = 'get_'.repeat(500_000)
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`p${i}`, {}]))
    let deep: Json = {}
    for (let i = 0; i < 5_000; i++) deep = { properties: { a: deep }, anyOf: [deep] }
    expect(within(tool(long, long, wide))).toBeLessThan(50)
    expect(within({ name: 'get_x', inputSchema: deep })).toBeLessThan(50)
    expect(
      within(tool('get_x', '', { action: { enum: Array(100_000).fill('delete') } })),
    ).toBeLessThan(50)
  })
  test('unions within unions cost a few milliseconds', () => {
    const list = Array(2_000).fill({ enum: Array(500).fill(1) })
    const wide = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`p${i}`, { anyOf: list, oneOf: list }]),
    )
    expect(within(tool('get_x', 'Gets x.', wide))).toBeLessThan(50)
    expect(categoryOf(tool('get_x', 'Gets x.', wide))).toBe('Execute')
  })
  test('repeated text costs no more than it is long', () => {
    for (const text of [
      ' '.repeat(1e6),
      'A'.repeat(1e6),
      'not '.repeat(3e5),
      '\n'.repeat(1e6),
      '- '.repeat(5e5),
    ])
      expect(within(tool('manage_x', text))).toBeLessThan(50)
  })
  test('a definition too large to be read whole is never Read', () => {
    const wide = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`p${i}`, {}]))
    expect(categoryOf(tool('get_x', 'Gets x.', wide, { readOnlyHint: true }))).toBe('Execute')
    expect(categoryOf(tool(`${'a_'.repeat(100)}delete`, 'Gets x.'))).toBe('Destructive')
    expect(categoryOf(tool(`get_${'x'.repeat(300)}_delete`, 'Gets x.'))).toBe('Execute')
  })
  test('an ordinary definition costs less than 100 µs', () => {
    const definition = tool('create_issue', 'Creates an issue in a repository. '.repeat(20), {
      owner: { type: 'string' },
      repo: { type: 'string' },
      title: { type: 'string', description: 'the title' },
      labels: { type: 'array', items: { type: 'string' } },
    })
    const best = Math.min(
      ...Array.from({ length: 20 }, () => {
        const from = performance.now()
        for (let i = 0; i < 200; i++) classify(definition)
        return (performance.now() - from) / 200
      }),
    )
    expect(best).toBeLessThan(0.1)
  })
})

describe('what is unknown is not harmless', () => {
  test('a name without a verb and no description is Execute', () => {
    expect(categoryOf(tool('frobnicate'))).toBe('Execute')
    expect(categoryOf(tool(''))).toBe('Execute')
  })
  test('a letter of another alphabet hides no verb behind a reading one', () => {
    expect(categoryOf(tool('d\u0435lete_all'))).not.toBe('Read')
    expect(categoryOf(tool('de\u200blete_all'))).toBe('Destructive')
    expect(categoryOf(tool('ｄｅｌｅｔｅ_all'))).toBe('Destructive')
  })
  test('an empty description costs confidence', () => {
    const bare = classify(tool('get_user')).confidence
    expect(classify(tool('get_user', 'Gets a user.')).confidence).toBeGreaterThan(bare)
  })
})

describe('annotations raise and seldom lower', () => {
  test('readOnlyHint does not lower a name that says otherwise', () => {
    for (const name of ['delete_user', 'create_user', 'run_script', 'pay_invoice'])
      expect(categoryOf(tool(name, '', {}, { readOnlyHint: true }))).not.toBe('Read')
  })
  test('readOnlyHint settles a name that says nothing', () => {
    expect(categoryOf(tool('frobnicate', '', {}, { readOnlyHint: true }))).toBe('Read')
  })
  test('readOnlyHint does not lower a schema that can delete', () => {
    const action = { enum: ['list', 'delete'] }
    expect(categoryOf(tool('things', '', { action }, { readOnlyHint: true }))).toBe('Destructive')
  })
  test('destructiveHint: false does not lower a delete', () => {
    expect(categoryOf(tool('delete_x', '', {}, { destructiveHint: false }))).toBe('Destructive')
  })
  test('an absent destructiveHint is not taken for the protocol default', () => {
    expect(categoryOf(tool('update_x', 'Updates x.', {}, { readOnlyHint: false }))).toBe('Write')
  })
  test('a hint that is no boolean claims nothing', () => {
    expect(categoryOf(tool('frobnicate', '', {}, { readOnlyHint: 'true' }))).toBe('Execute')
  })
})

describe('a choice among operations', () => {
  const withAction = (name: string, description: string, action: Json, hints = {}) =>
    categoryOf(tool(name, description, { action }, hints))
  test('a tool can do the worst operation that it offers', () => {
    expect(withAction('things', 'Everything about things.', { enum: ['list', 'delete'] })).toBe(
      'Destructive',
    )
    expect(
      withAction('things', 'Everything about things.', { enum: ['listThings', 'startThing'] }),
    ).toBe('Execute')
    expect(withAction('things', 'Everything about things.', { enum: ['list', 'get'] })).toBe('Read')
  })
  test('the operations of a union count like those of a list', () => {
    const union = { anyOf: [{ const: 'list' }, { const: 'remove' }] }
    expect(withAction('things', 'Everything about things.', union)).toBe('Destructive')
    const inputSchema = {
      oneOf: [
        { properties: { action: { const: 'get' } } },
        { properties: { action: { const: 'purge' } } },
      ],
    }
    expect(categoryOf({ name: 'things', inputSchema })).toBe('Destructive')
  })
  test('a list of actions that a reading tool filters by is no operation', () => {
    const action = { enum: ['create', 'delete'] }
    expect(withAction('list_audit_events', 'Lists audit events.', action)).toBe('Read')
    expect(withAction('events', 'Everything about events.', action)).toBe('Destructive')
    expect(
      withAction('list_audit_events', 'Lists events.', action, { destructiveHint: true }),
    ).toBe('Destructive')
  })
  test('HTTP verbs that a request stores are data', () => {
    const method = { enum: ['GET', 'POST', 'DELETE'] }
    expect(categoryOf(tool('updateCollectionRequest', 'Updates a request.', { method }))).toBe(
      'Write',
    )
  })
  test('an operation past the choices that are read is not harmless', () => {
    const action = { enum: [...Array(300).fill('get_thing'), 'delete_thing'] }
    expect(withAction('things', 'Everything about things.', action)).toBe('Execute')
  })
})

describe('severity', () => {
  const severityOf = (definition: ToolDefinition): Severity => classify(definition).severity
  test('the risk class is a function of the category', () => {
    const classes = {
      get_user: 'Low',
      create_user: 'Medium',
      run_job: 'High',
      delete_user: 'Critical',
      pay_invoice: 'Critical',
    }
    for (const [name, risk] of Object.entries(classes))
      expect(classify(tool(name)).riskClass).toBe(risk)
  })
  test.each([
    ['reading secrets is worse than reading', tool('get_secret', 'Gets a secret.'), 'Medium'],
    [
      'reading health records is worse than reading',
      tool('get_patient', 'Gets a patient.'),
      'Medium',
    ],
    ['writing in bulk is worse than writing', tool('bulk_update_users', 'Updates users.'), 'High'],
    [
      'an external recipient is worse than a write',
      tool('send_email', 'Sends.', { to: {} }),
      'High',
    ],
    ['granting a privilege is worse than a write', tool('attach_user_policy', 'Attaches.'), 'High'],
    ['free SQL is worse than a job', tool('execute_sql', 'Executes SQL.', { sql: {} }), 'Critical'],
    [
      'SQL that is said to be read-only is milder',
      tool('query', 'Run a read-only SQL query', { sql: {} }),
      'Medium',
    ],
    [
      'a cache is milder than what can’t be made again',
      tool('clear_cache', 'Clears the cache.'),
      'Medium',
    ],
  ] as const)('%s', (_, definition, want) => {
    expect(severityOf(definition)).toBe(want)
  })
})

describe('evidence', () => {
  test('every quote stands in the definition', () => {
    const definition = tool('delete_files', 'Deletes files permanently.', { path: {} })
    for (const { quote } of classify(definition).evidence)
      expect(`${definition.name} ${definition.description}`).toContain(quote)
  })
  test('quotes are short', () => {
    const definition = tool(`delete_${'x'.repeat(240)}`, 'Deletes. '.repeat(900), {
      action: { enum: ['y'.repeat(9000)] },
    })
    for (const { quote } of classify(definition).evidence)
      expect(quote.length).toBeLessThanOrEqual(120)
  })
  test('a server’s own name in front of a tool is not its verb', () => {
    const definition = tool('linear_get_issue', 'Gets an issue.')
    expect(classify(definition, { name: 'linear' }).category).toBe('Read')
    expect(classify(tool('buy_get_item'), { name: 'buy' }).category).toBe('Read')
    expect(classify(tool('remove_everything'), { name: 'remove-bg' }).category).toBe('Destructive')
  })
})
