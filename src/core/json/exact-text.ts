import { ExactNumber } from './exact-number.ts'

/** The standard's, which the type library does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** The value with its exact numbers as raw text, which `JSON.stringify` writes as they are. */
function withRaw(value: unknown): unknown {
  if (value instanceof ExactNumber) return rawJSON(value.text)
  if (Array.isArray(value)) return value.map(withRaw)
  if (value === null || typeof value !== 'object') return value
  const out: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) out[key] = withRaw(item)
  return out
}

/** JSON text of a value, with exact numbers as they were written. */
export const exactText = (value: unknown, indent?: number): string =>
  JSON.stringify(withRaw(value), null, indent)
