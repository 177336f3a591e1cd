import { isObject, type Json, member } from '../../json/json.ts'
import type { Check, Hit } from './finding.ts'

/** Texts that are keys, by their form. */
export const TOKENS =
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{18,}|\b(?:sk|rk|pk)_live_[A-Za-z0-9]{16,}|\bsk-(?:proj-|ant-|live-)?[A-Za-z0-9_-]{24,}|\bxox[abeoprs]-[A-Za-z0-9-]{16,}|\bAIza[\w-]{30,}|\bnpm_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bsp_(?:grant|admin)_[\w-]{40,}|\bey[JK][\w-]{15,400}\.ey[\w-]{15,1000}\.[\w-]{10}|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/
const URL_WITH_PASSWORD =
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@{<$[]{1,80}:([^\s/@{<$[]{3,120})@[\w.-]/i
const EXAMPLE =
  /example|sample|dummy|placeholder|your[_ -]|x{4,}|\*{3,}|\.{3}|<[^>]*>|\bfoo|\btest|change.?me|0{8,}|1234|user:pass|password@|:password|:pass\b|:secret@/i
const SECRET_NAME =
  /(?:^|_|-|\b)(?:password|passwd|pwd|secret|api_?key|access_?key|access_?token|auth_?token|bearer|client_?secret|private_?key|token)$/i
const MAX_PROPERTIES = 400

/** Keys and passwords that a definition carries to everyone who lists it. */
export const secretInDefinition: Check = {
  severity: 'High',
  message: 'carries a secret that everyone who lists the tool receives',
  owasp: 'MCP01',
  attacks: ['credential_theft'],
  look: ({ passages, tool }) => {
    const hits: Hit[] = []
    for (const { at, raw } of passages) {
      const found = TOKENS.exec(raw) ?? URL_WITH_PASSWORD.exec(raw)
      if (found !== null && !EXAMPLE.test(found[0])) hits.push({ at, quote: masked(found[0]) })
    }
    const schema = isObject(tool) ? member(tool, 'inputSchema') : undefined
    for (const { at, value } of secretDefaults(schema))
      if (!hits.some((hit) => hit.at === at)) hits.push({ at, quote: masked(value) })
    return hits
  },
}

/** Enough to find it, too little to use it. */
export const masked = (secret: string): string =>
  `${secret.slice(0, Math.min(4, Math.floor(secret.length / 3)))}… (${secret.length} characters)`

const ALL_TOKENS = new RegExp(TOKENS.source, 'g')

/** A quote in which keys are written as what they are, not as they stand. */
export const withoutKeys = (quote: string): string => quote.replace(ALL_TOKENS, masked)

/** Defaults of properties that are named as secrets. */
function secretDefaults(schema: Json | undefined) {
  const found: { at: string; value: string }[] = []
  let left = MAX_PROPERTIES
  const visit = (node: Json | undefined, at: string, depth: number): void => {
    const properties = isObject(node) ? member(node, 'properties') : undefined
    if (!isObject(properties) || depth > 8) return
    for (const name in properties) {
      if (!Object.hasOwn(properties, name) || --left < 0) continue
      const property = properties[name]
      if (!isObject(property)) continue
      const value = member(property, 'default') ?? member(property, 'const')
      const path = `${at}.properties.${name}`
      if (
        typeof value === 'string' &&
        value.length >= 6 &&
        SECRET_NAME.test(name.replace(/([a-z])([A-Z])/g, '$1_$2')) &&
        !EXAMPLE.test(value) &&
        !/^\$|^env[:.]|^(?:none|null|default|bearer|optional)$/i.test(value)
      )
        found.push({ at: `${path}.default`, value })
      visit(property, path, depth + 1)
    }
  }
  visit(schema, 'inputSchema', 0)
  return found
}
