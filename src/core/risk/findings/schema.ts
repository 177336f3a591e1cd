import { isObject, type Json, type JsonObject, member } from '../../json/json.ts'
import type { Check, Hit, Inspected } from './finding.ts'
import { isCut } from './passages.ts'

const schemaOf = ({ tool }: Inspected): JsonObject | undefined => {
  const schema = isObject(tool) ? member(tool, 'inputSchema') : undefined
  return isObject(schema) ? schema : undefined
}

const propertiesOf = (schema: JsonObject | undefined): JsonObject => {
  const properties = schema === undefined ? undefined : member(schema, 'properties')
  return isObject(properties) ? properties : {}
}

const namesOf = (object: JsonObject): readonly string[] => Object.keys(object).slice(0, 400)
const pathOf = (name: string): string => `inputSchema.properties.${name}`.slice(0, 160)

/** An argument whose text is the effect: code, SQL, a command, a request of any kind. */
export const freeFormArgument: Check = {
  severity: 'Medium',
  message: 'takes code, a command or a query of any form',
  owasp: 'MCP05',
  attacks: ['command_injection'],
  look: ({ classification }) => {
    if (classification.category === 'Read') return []
    const found = classification.evidence.find(({ signal }) => signal === 'free_form')
    return found === undefined ? [] : [{ at: pathOf(found.quote), quote: found.quote }]
  },
}

const CONSTRAINTS = [
  'enum',
  'const',
  'pattern',
  'format',
  'maxLength',
  'properties',
  'items',
  '$ref',
  'anyOf',
  'oneOf',
  'allOf',
  'patternProperties',
] as const

/** An argument that may be anything at all, on a tool that changes something. */
export const untypedArgument: Check = {
  severity: 'Low',
  message: 'takes an argument of any shape',
  owasp: 'MCP05',
  attacks: ['command_injection', 'scope_creep'],
  look: (inspected) => {
    if (inspected.classification.category === 'Read') return []
    const properties = propertiesOf(schemaOf(inspected))
    const hits: Hit[] = []
    for (const name of namesOf(properties)) {
      const property = properties[name]
      if (property === true || (isObject(property) && isAnything(property)))
        hits.push({ at: pathOf(name), quote: name })
    }
    return hits
  },
}

function isAnything(schema: JsonObject): boolean {
  if (CONSTRAINTS.some((key) => Object.hasOwn(schema, key))) return false
  const type = member(schema, 'type')
  if (type === undefined) return true
  return type === 'object' && member(schema, 'additionalProperties') !== false
}

/** No input schema, or one that says nothing and takes anything. */
export const noInputSchema: Check = {
  severity: 'Medium',
  message: 'does not say what arguments it takes',
  owasp: 'MCP05',
  attacks: ['scope_creep'],
  look: (inspected) => {
    const schema = schemaOf(inspected)
    if (schema === undefined) return [{ at: 'inputSchema', quote: '' }]
    const isOpen = member(schema, 'additionalProperties') === true
    const isEmpty =
      !Object.hasOwn(schema, 'properties') || namesOf(propertiesOf(schema)).length === 0
    return isOpen && isEmpty ? [{ at: 'inputSchema', quote: 'additionalProperties: true' }] : []
  },
}

const ADDRESS =
  /^(?:url|uri|endpoint|webhook|callback|base_?url|target_?url|webhook_?url|callback_?url|remote_?url)$/i

/** An argument that names an address anywhere. */
export const anyAddress: Check = {
  severity: 'Low',
  message: 'takes an address of any host',
  owasp: 'MCP05',
  attacks: ['server_side_request', 'data_exfiltration'],
  look: (inspected) => {
    const properties = propertiesOf(schemaOf(inspected))
    return namesOf(properties)
      .filter((name) => ADDRESS.test(name.replace(/([a-z])([A-Z])/g, '$1_$2')))
      .filter((name) => !isLimited(properties[name]))
      .map((name) => ({ at: pathOf(name), quote: name }))
  },
}

const isLimited = (schema: Json | undefined): boolean =>
  isObject(schema) && ['enum', 'const', 'pattern'].some((key) => Object.hasOwn(schema, key))

/** More text than is read here, and than anyone reads: what stands behind it was not looked at. */
export const tooLarge: Check = {
  severity: 'High',
  message: 'is larger than is read: what else it says was not looked at',
  owasp: 'MCP10',
  attacks: ['tool_poisoning'],
  look: ({ passages }) => (isCut(passages) ? [{ at: 'inputSchema', quote: '' }] : []),
}

/** Nobody can tell from the list what the tool does. */
export const missingDescription: Check = {
  severity: 'Low',
  message: 'has no description',
  owasp: 'MCP08',
  attacks: ['unwatched_action'],
  look: ({ tool }) => {
    const description = isObject(tool) ? member(tool, 'description') : undefined
    const isThere = typeof description === 'string' && description.trim() !== ''
    return isThere ? [] : [{ at: 'description', quote: '' }]
  },
}
