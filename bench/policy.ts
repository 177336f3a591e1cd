/** What one decision of the policy engine costs; prints a table. */
import {
  type AccessRequest,
  compilePolicy,
  type EntryDocument,
  loadPolicy,
  type Policy,
  type PolicyDocument,
} from '../src/core/policy/index.ts'

const request = (name: string, args: AccessRequest['args']): AccessRequest => ({
  subject: {
    grant: { id: 'g', label: 'bench', tags: { team: 'ops' } },
    session: 's',
    client: { name: 'bench', version: '1' },
  },
  tool: {
    server: 'stripe',
    name,
    isAdvertised: true,
    category: 'Write',
    severity: 'High',
    annotations: {},
    properties: {},
  },
  args,
  context: { at: 1_767_614_400_000, counters: new Map() },
})

const load = (document: object): Policy => {
  const loaded = loadPolicy(JSON.stringify(document))
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.policy
}

/** Ten predicates of different kinds that all hold, and a limit. */
const entry: EntryDocument = {
  require: [
    {
      conditions: [
        { path: 'args.amount', op: 'lte', value: 50_000 },
        { path: 'args.currency', op: 'in', value: ['usd', 'eur', 'gbp'] },
        { path: 'args.customer.email', op: 'regex', value: '^[a-z]+@example\\.com$' },
        { path: 'args.customer.name', op: 'length_lte', value: 80 },
        { path: 'args.items[*].price', op: 'lte', value: 1000 },
        { path: 'grant.tags.team', op: 'eq', value: 'ops' },
      ],
    },
  ],
  deny_if: [
    { conditions: [{ path: 'args.memo', op: 'contains', value: 'DROP TABLE' }] },
    { conditions: [{ path: 'args.path', op: 'starts_with', value: ['/etc/', '/root/'] }] },
    { conditions: [{ path: 'args.force', op: 'eq', value: true }] },
    { conditions: [{ path: 'args.amount', op: 'gt', value: 50_000 }] },
  ],
  limits: [{ counter: 'spend', window: 'day', max: 100_000, increment_from: 'args.amount' }],
}

const args = {
  amount: 1250,
  currency: 'eur',
  customer: { email: 'ana@example.com', name: 'Ana' },
  items: [{ price: 500 }, { price: 750 }],
  memo: 'two chairs',
  path: '/srv/orders/1',
  force: false,
}

/** The median of several rounds, in microseconds for one call. */
function measure(call: (i: number) => void, calls = 100_000): number {
  for (let i = 0; i < calls / 5; i++) call(i)
  const rounds = Array.from({ length: 7 }, () => {
    const start = performance.now()
    for (let i = 0; i < calls; i++) call(i)
    return ((performance.now() - start) / calls) * 1000
  }).toSorted((a, b) => a - b)
  return rounds[3] ?? Number.NaN
}

const tools = (count: number): PolicyDocument => ({
  version: '1',
  default: 'deny',
  tools: Object.fromEntries(Array.from({ length: count }, (_, i) => [`tool_${i}`, entry])),
})

const rows: string[][] = []
const row = (what: string, us: number): void => {
  rows.push([what, us < 1000 ? `${us.toFixed(2)} us` : `${(us / 1000).toFixed(2)} ms`])
}

for (const count of [10, 10_000]) {
  const start = performance.now()
  const policy = compilePolicy(tools(count))
  row(`compile ${count} tools of 10 predicates`, (performance.now() - start) * 1000)
  const one = request('tool_7', args)
  if (policy.decide(one).effect !== 'allow') throw new Error('the bench is wrong')
  row(
    `decide, ${count} tools, one tool`,
    measure(() => policy.decide(one)),
  )
  const many = Array.from({ length: count }, (_, i) => request(`tool_${i}`, args))
  row(
    `decide, ${count} tools, each in turn`,
    measure((i) => policy.decide(many[i % count] ?? one)),
  )
}
const globs = load({
  version: '1',
  default: 'deny',
  tools: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`a${i}_*_x`, {}])),
})
row(
  'decide, 1000 globs, known name',
  measure(() => globs.decide(request('a7_b_x', {}))),
)
row(
  'decide, 1000 globs, new name each time',
  measure((i) => globs.decide(request(`b${i}_b_x`, {})), 20_000),
)
const regex = (pattern: string, predicates: number): Policy =>
  load({
    version: '1',
    default: 'deny',
    tools: {
      t: {
        require: Array.from({ length: predicates }, () => ({
          conditions: [{ path: 'args.q', op: 'regex', value: pattern }],
        })),
      },
    },
  })
const catastrophic = regex('^(a+)+$', 1)
for (const end of ['', 'b']) {
  const subjects = Array.from({ length: 32 }, (_, i) =>
    request('t', { q: `${'a'.repeat(100_000 + i)}${end}` }),
  )
  row(
    `decide, ^(a+)+$ on 100 KB of a${end === '' ? '' : ' and a b'}`,
    measure((i) => catastrophic.decide(subjects[i % 32] ?? request('t', {})), 50),
  )
}
const fifty = regex('^[a-z ]*$', 50)
const long = Array.from({ length: 8 }, (_, i) => request('t', { q: 'a '.repeat(100_000 + i) }))
row(
  'decide, 50 equal patterns on 200 KB',
  measure((i) => fifty.decide(long[i % 8] ?? request('t', {})), 20),
)
const blowUp = regex('a[ab]{200}c?$', 1)
const hard = Array.from({ length: 4 }, (_, i) =>
  request('t', {
    q: Array.from({ length: 100_000 }, (_, k) => ((k * k * (i + 7)) % 11 < 5 ? 'a' : 'b')).join(''),
  }),
)
row(
  'decide, a pattern that overflows the automaton on 100 KB',
  measure((i) => blowUp.decide(hard[i % 4] ?? request('t', {})), 4),
)

const width = Math.max(...rows.map(([what]) => (what ?? '').length))
for (const [what = '', cost = ''] of rows)
  process.stdout.write(`${what.padEnd(width)}  ${cost.padStart(10)}\n`)
