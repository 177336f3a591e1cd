import { catalogue } from '../../../core/errors.ts'
import { isObject, type Json, type JsonObject, member } from '../../../core/json/json.ts'

/** What a client must be able to do to be asked this; undefined when it said that it can. */
export function lacking(
  method: string,
  params: JsonObject,
  capabilities: JsonObject,
): JsonObject | undefined {
  switch (method) {
    case 'elicitation/create': {
      const can = member(capabilities, 'elicitation')
      if (member(params, 'mode') === 'url')
        return has(can, 'url') ? undefined : { elicitation: { url: {} } }
      // A client that names no way at all fills in forms.
      const fills = isObject(can) && (has(can, 'form') || !has(can, 'url'))
      return fills ? undefined : { elicitation: { form: {} } }
    }
    case 'sampling/createMessage': {
      const can = member(capabilities, 'sampling')
      if (!isObject(can)) return { sampling: {} }
      const wantsTools = member(params, 'tools') !== undefined
      return wantsTools && !has(can, 'tools') ? { sampling: { tools: {} } } : undefined
    }
    default:
      return isObject(member(capabilities, 'roots')) ? undefined : { roots: {} }
  }
}

const has = (value: Json | undefined, key: string): boolean =>
  isObject(value) && member(value, key) !== undefined

/** What a server may ask a stateless client. */
export const QUESTIONS: ReadonlySet<string> = new Set([
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
])

/** The requests during which it may: only these can be answered with `input_required`. */
export const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** The error for a client that can not be asked what a server wants to know. */
export const missingCapability = (required: JsonObject) => {
  const { rpc, http, message } = catalogue.capability_missing
  return {
    status: http,
    error: {
      code: rpc,
      message,
      data: { code: 'capability_missing', requiredCapabilities: required },
    },
  }
}
