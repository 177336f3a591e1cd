import type { Json } from '../json/json.ts'
import { toMillionths } from './amount.ts'
import type { EntryDocument, LimitDocument } from './document.ts'
import { parseWindow } from './duration.ts'
import type { Limit, LimitUse, Mode } from './model.ts'
import { parsePath } from './path.ts'
import { below } from './pointer.ts'
import { compileSource } from './source.ts'
import { Unjudged } from './truth.ts'
import type { Scope } from './walk.ts'

/** A limit of an entry, compiled: the quota, and how to read what a call consumes of it. */
export interface CompiledLimit {
  readonly pointer: string
  readonly mode: Mode
  readonly limit: Limit
  /** The limit for this caller: `rate_limit` counts per session where there is one. */
  readonly limitFor: (scope: Scope) => Limit
  readonly amountOf: (scope: Scope) => bigint | Unjudged
}

/** Compiles one quota of `limits`. */
export function compileLimit(document: LimitDocument, pointer: string, mode: Mode): CompiledLimit {
  const algorithm = document.algorithm ?? 'fixed'
  const limit: Limit = {
    counter: document.counter,
    window: document.window === undefined ? undefined : parseWindow(document.window),
    max: exactAmount(document.max),
    scope: document.scope ?? 'grant',
    algorithm,
    onError: document.on_error ?? 'deny',
    message: document.on_deny ?? defaultMessage(document.counter, document.window),
  }
  return {
    pointer,
    mode,
    limit,
    limitFor: () => limit,
    amountOf: compileAmount(document),
  }
}

const defaultMessage = (counter: string, window: string | undefined): string =>
  window === undefined
    ? `limit \`${counter}\` is exhausted: too many calls at once`
    : `limit \`${counter}\` is exhausted for this ${window}`

/** INVARIANT: validation refuses what is no amount; were one to come through, nothing fits. */
const exactAmount = (value: Json): bigint => {
  const amount = toMillionths(value)
  return typeof amount === 'bigint' ? amount : 0n
}

function compileAmount(document: LimitDocument): CompiledLimit['amountOf'] {
  const { increment_from: from } = document
  if (from === undefined) {
    const amount = exactAmount(document.increment ?? 1)
    return () => amount
  }
  const path = parsePath(from)
  if (!('segments' in path)) return () => new Unjudged(from, path.message)
  const unjudged = (why: string): bigint | Unjudged => new Unjudged(from, why)
  return compileSource<bigint | Unjudged>(path, 'UTC', {
    found: (value) => {
      const amount = toMillionths(value)
      return typeof amount === 'string' ? unjudged(amount) : amount
    },
    absent: unjudged('it is missing'),
    unjudged,
    each: () => unjudged('it names many values'),
    usesDefaults: true,
  })
}

/** `rate_limit` as the window and number it stands for; undefined when malformed. */
export function parseRate(
  rate: NonNullable<EntryDocument['rate_limit']>,
): { readonly max: number; readonly window: Limit['window']; readonly text: string } | undefined {
  if (typeof rate !== 'string') {
    const window =
      typeof rate.window === 'number' ? { lengthMs: rate.window * 1000 } : parseWindow(rate.window)
    const text = typeof rate.window === 'number' ? `${rate.window} s` : rate.window
    return window === undefined ? undefined : { max: rate.max, window, text }
  }
  const m = /^(0|[1-9]\d{0,8})\/(.+)$/.exec(rate)
  const window = parseWindow(m?.[2] ?? '')
  return m === null || window === undefined
    ? undefined
    : { max: Number(m[1]), window, text: m[2] ?? '' }
}

/** Compiles `rate_limit`: per session where the caller has one, else per grant. */
export function compileRate(
  document: NonNullable<EntryDocument['rate_limit']>,
  entry: string,
  mode: Mode,
): CompiledLimit {
  const rate = parseRate(document) ?? { max: 0, window: 'minute' as const, text: 'minute' }
  const pointer = below(entry, 'rate_limit')
  const limit: Limit = {
    // Named for its place, in parentheses, which no counter of a policy can begin with.
    counter: `(rate_limit ${entry})`,
    window: rate.window,
    max: exactAmount(rate.max),
    scope: 'session',
    algorithm: 'fixed',
    onError: 'deny',
    message: `rate limit reached: at most ${rate.max} calls per ${rate.text}`,
  }
  const perGrant: Limit = { ...limit, scope: 'grant' }
  return {
    pointer,
    mode,
    limit,
    limitFor: (scope) => (scope.request.subject.session === undefined ? perGrant : limit),
    amountOf: () => 1_000_000n,
  }
}

/** What a call draws on, or the first limit that nothing fits into. */
export type LimitVerdict =
  | { readonly ok: true; readonly uses: readonly LimitUse[] }
  | { readonly ok: false; readonly pointer: string; readonly message: string }

/** Reads what a call consumes of every limit of one mode. */
export function drawOn(limits: readonly CompiledLimit[], scope: Scope): LimitVerdict {
  const uses: LimitUse[] = []
  for (const compiled of limits) {
    const { pointer, mode } = compiled
    const limit = compiled.limitFor(scope)
    const amount = compiled.amountOf(scope)
    if (limit.max === 0n) return { ok: false, pointer, message: limit.message }
    if (typeof amount !== 'bigint')
      return { ok: false, pointer, message: `${limit.message} (${amount.message})` }
    uses.push({ pointer, limit, amount, mode })
  }
  return { ok: true, uses: mergeUses(uses) }
}

/** One counter is drawn on once: the largest amount, against the smallest maximum. */
function mergeUses(uses: readonly LimitUse[]): readonly LimitUse[] {
  if (uses.length < 2) return uses
  const merged = new Map<string, LimitUse>()
  for (const use of uses) {
    const known = merged.get(use.limit.counter)
    const tightest = known === undefined || use.limit.max < known.limit.max ? use : known
    const amount = known !== undefined && known.amount > use.amount ? known.amount : use.amount
    merged.set(use.limit.counter, { ...tightest, amount })
  }
  return [...merged.values()]
}
