/**
 * `${NAME}` and `${NAME:-default}` in string values. They are expanded after YAML is parsed, so
 * that what stands in the environment can never become structure.
 */
const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}\n]*))?\}/g
/** What YAML would read as structure inside a reference: `{ token: ${TOKEN}, … }` is not YAML. */
const structural = '{}[],:#&*!|>%@`?-'
const firstMask = 0xe000
const mask = new Map([...structural].map((c, i) => [c, String.fromCharCode(firstMask + i)]))
const unmask = new Map([...mask].map(([c, m]) => [m, c]))
const masked = /[\ue000-\ue01f]/g

/** True when the text already has characters that {@link maskReferences} needs for itself. */
export const firstMasked = (text: string): number => text.search(masked)

/** The text with every reference made harmless to a YAML parser; each place stays where it is. */
export const maskReferences = (text: string): string =>
  text.replace(reference, (whole) => {
    let out = ''
    for (const c of whole) out += mask.get(c) ?? c
    return out
  })

/** The inverse of {@link maskReferences}, for one parsed value. */
export const unmaskReferences = (text: string): string =>
  text.replace(masked, (m) => unmask.get(m) ?? m)

/** A string value with its references replaced, and the names that have no value. */
export interface Expansion {
  readonly text: string
  readonly missing: readonly string[]
  readonly isExpanded: boolean
  /** A `${` that begins no valid reference. */
  readonly isMalformed: boolean
}

/** Replaces the references in one string value; `$${` stands for a literal `${`. */
export function expand(text: string, env: Readonly<Record<string, string | undefined>>): Expansion {
  const missing: string[] = []
  let isExpanded = false
  let isMalformed = false
  const pattern = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}\n]*))?\})?/g
  const out = text.replace(pattern, (whole, name?: string, fallback?: string) => {
    if (whole === '$${') return '${'
    if (name === undefined) {
      isMalformed = true
      return whole
    }
    isExpanded = true
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback === undefined) missing.push(name)
    return fallback ?? ''
  })
  return { text: out, missing, isExpanded, isMalformed }
}
