import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TOOL } from './call.ts'

/** One thing that is put under load. */
export interface Variant {
  readonly title: string
  /** Which process the load goes to; a gate is named for its policy. */
  readonly process: 'upstream' | 'bare' | PolicyName
  readonly result: ResultSize
  /** The variant that its ratios are to. */
  readonly yardstick: 'bare' | 'bare-64k'
  /** What an answer must contain, or the variant measures something else. */
  readonly answer: string
}

/** Which of the upstream's results a variant asks for; `sessions` is the small one of a server with sessions. */
export type ResultSize = 'small' | 'large' | 'sessions'

const FORWARDED = '"structuredContent"'
const gate = (title: string, process: PolicyName): Variant => ({
  title,
  process,
  result: 'small',
  yardstick: 'bare',
  answer: FORWARDED,
})

/** Everything that is put under load, in the order of the table. */
export const variants = {
  direct: { ...gate('no proxy', 'rules'), process: 'upstream' },
  bare: { ...gate('bare proxy', 'rules'), process: 'bare' },
  rules: gate('gate, ten predicates', 'rules'),
  many: gate('gate, the same and 10,000 other tools', 'many'),
  limit: gate('gate, the same and a large limit', 'limit'),
  sliding: gate('gate, the same and a sliding limit', 'sliding'),
  denied: { ...gate('gate, a denied call', 'denied'), answer: '[POLICY DENIED]' },
  bridged: { ...gate('gate, ten predicates, a server with sessions', 'rules'), result: 'sessions' },
  'bare-64k': {
    ...gate('bare proxy, 64 KB', 'rules'),
    process: 'bare',
    result: 'large',
    yardstick: 'bare-64k',
  },
  'gate-64k': {
    ...gate('gate, ten predicates, 64 KB', 'rules'),
    result: 'large',
    yardstick: 'bare-64k',
  },
} as const satisfies Readonly<Record<string, Variant>>

export type VariantName = keyof typeof variants

/** The names of all variants, in the order of the table. */
export const variantNames = Object.keys(variants) as readonly VariantName[]

/** The named variants and their yardsticks, in the order of the table. */
export function withYardsticks(names: readonly VariantName[]): readonly VariantName[] {
  const wanted = new Set<VariantName>([...names, ...names.map((name) => variants[name].yardstick)])
  return variantNames.filter((name) => wanted.has(name))
}

const on = (argument: string, op: string, value: unknown) => ({
  path: `args.${argument}`,
  op,
  value,
})

/** Ten predicates that are all judged and let the measured call through. */
const rules = {
  require: [
    {
      conditions: [
        on('amount', 'gte', 1),
        on('amount', 'lte', 50_000),
        on('currency', 'in', ['eur', 'usd', 'gbp']),
        on('payment', 'starts_with', 'pay_'),
        on('customer.email', 'exists', true),
      ],
    },
  ],
  deny_if: [
    { conditions: [on('note', 'regex', '(?i)password|api[_-]?key')] },
    { conditions: [on('items', 'contains', 'gift_card')] },
    { conditions: [on('customer.tier', 'eq', 'blocked')] },
    { conditions: [on('currency', 'eq', 'eur'), on('amount', 'gt', 20_000)] },
  ],
}

/** A limit that no run reaches: what is measured is the counting. */
const limited = (limit: object) => ({
  ...rules,
  limits: [{ counter: 'refunds', window: 'hour', max: 1_000_000_000, scope: 'grant', ...limit }],
})

const denyingAllBut = (tools: object) => ({ version: '1', default: 'deny', tools })

const policies = {
  rules: () => denyingAllBut({ [TOOL]: rules }),
  many: () =>
    denyingAllBut({
      ...Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`tool_${i}`, rules])),
      [TOOL]: rules,
    }),
  limit: () => denyingAllBut({ [TOOL]: limited({}) }),
  sliding: () => denyingAllBut({ [TOOL]: limited({ algorithm: 'sliding' }) }),
  denied: () => denyingAllBut({ another_tool: {} }),
}

export type PolicyName = keyof typeof policies

/** The URLs of the upstream, and the grant tokens for its two results. */
export interface Wiring {
  readonly upstream: string
  readonly tokens: Readonly<Record<ResultSize, string>>
}

/** Writes a gate's policy and configuration into a folder; gives the configuration's file. */
export function writeConfig(folder: string, policy: PolicyName, wiring: Wiring): string {
  const { upstream, tokens } = wiring
  const config = {
    version: 1,
    servers: {
      small: { url: `${upstream}/small` },
      large: { url: `${upstream}/large` },
      sessions: { url: `${upstream}/sessions`, era: 'legacy' },
    },
    policies: { bench: './policy.json' },
    grants: {
      small: { server: 'small', policy: 'bench', token: tokens.small },
      large: { server: 'large', policy: 'bench', token: tokens.large },
      sessions: { server: 'sessions', policy: 'bench', token: tokens.sessions },
    },
  }
  writeFileSync(join(folder, 'policy.json'), JSON.stringify(policies[policy]()))
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, JSON.stringify(config))
  return file
}
