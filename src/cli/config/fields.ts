import { didYouMean } from '../nearest.ts'
import type { Entry, Report, Value } from './tree.ts'

/** A map whose keys are known: every other key is a problem. */
export interface Fields {
  readonly at: Value
  readonly get: (key: string) => Value | undefined
  /** Where the key stands. */
  readonly keyOf: (key: string) => { pointer: string; offset: number }
}

const article: Readonly<Record<Value['kind'], string>> = {
  map: 'a mapping',
  list: 'a list',
  text: 'a string',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
}

/** Says what was expected and what stands there, without the value itself. */
export function expected(report: Report, value: Value, what: string, hint?: string): undefined {
  report(value, `expected ${what}, found ${article[value.kind]}`, hint)
  return undefined
}

/** The members of a map with any keys; empty (and reported) when it is something else. */
export function readEntries(
  report: Report,
  value: Value | undefined,
  what: string,
): readonly Entry[] {
  if (value === undefined || value.kind === 'null') return []
  if (value.kind === 'map') return value.entries
  expected(report, value, what)
  return []
}

/** The members of a map with known keys. */
export function readFields(
  report: Report,
  value: Value,
  known: readonly string[],
  what: string,
): Fields | undefined {
  if (value.kind !== 'map') return expected(report, value, what)
  const found = new Map<string, Entry>()
  for (const entry of value.entries) {
    if (known.includes(entry.key)) found.set(entry.key, entry)
    else
      report(
        { pointer: entry.value.pointer, offset: entry.offset },
        `unknown key \`${entry.key}\``,
        didYouMean(entry.key, known) ?? `known here: ${known.join(', ')}`,
      )
  }
  return {
    at: value,
    get: (key) => found.get(key)?.value,
    keyOf: (key) => {
      const entry = found.get(key)
      return entry === undefined ? value : { pointer: entry.value.pointer, offset: entry.offset }
    },
  }
}

/** A string; a plain number or boolean counts as its text. */
export function readText(
  report: Report,
  value: Value | undefined,
  what: string,
): string | undefined {
  if (value === undefined) return undefined
  if (value.kind === 'map' || value.kind === 'list' || value.kind === 'null')
    return expected(report, value, what)
  if (value.text.includes('\0')) {
    report(value, `${what} may not hold a NUL character`)
    return undefined
  }
  return value.text
}

/** A string that is not empty. */
export function readFilled(
  report: Report,
  value: Value | undefined,
  what: string,
): string | undefined {
  const text = readText(report, value, what)
  if (value === undefined || text !== '') return text
  report(value, `expected ${what}, found an empty string`)
  return undefined
}

/** A list of strings; what is not one is reported. */
export function readTexts(
  report: Report,
  value: Value | undefined,
  what: string,
): readonly string[] {
  if (value === undefined || value.kind === 'null') return []
  if (value.kind !== 'list') {
    expected(report, value, what)
    return []
  }
  return value.items.flatMap((item) => readText(report, item, 'a string') ?? [])
}

/** One of a closed set of words. */
export function readChoice<const T extends string>(
  report: Report,
  value: Value | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined
  const list = choices.map((c) => `\`${c}\``).join(' or ')
  if (value.kind !== 'text') return expected(report, value, list)
  const choice = choices.find((c) => c === value.text)
  if (choice === undefined) {
    const found = value.isExpanded ? 'another value from the environment' : `\`${value.text}\``
    report(value, `expected ${list}, found ${found}`, didYouMean(value.text, choices))
  }
  return choice
}

/** True or false; from the environment also as text. */
export function readBoolean(report: Report, value: Value | undefined): boolean | undefined {
  if (value === undefined) return undefined
  const isBoolean = value.kind === 'boolean' || (value.kind === 'text' && value.isExpanded)
  if (isBoolean && (value.text === 'true' || value.text === 'false')) return value.text === 'true'
  return expected(report, value, 'true or false')
}

/** A whole number within bounds; from the environment also as text. */
export function readInteger(
  report: Report,
  value: Value | undefined,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  if (value === undefined) return undefined
  const isNumber = value.kind === 'number' || (value.kind === 'text' && value.isExpanded)
  const number = isNumber && /^\d{1,15}$/.test(value.text) ? Number(value.text) : undefined
  if (number !== undefined && number >= bounds.min && number <= bounds.max) return number
  report(value, `expected a whole number from ${bounds.min} to ${bounds.max}`)
  return undefined
}
