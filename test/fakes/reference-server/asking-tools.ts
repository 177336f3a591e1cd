import { inputRequired, type McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Form, formOf, said } from './samples.ts'

const DEFAULTS: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  required: [],
}

const titled = (values: readonly string[]) =>
  values.map((value) => ({ const: value, title: `Title of ${value}` }))
const options = ['option1', 'option2', 'option3']
const values = ['value1', 'value2', 'value3']
const CHOICES: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled(values) },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: { type: 'string', enum: options },
    },
    titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled(values) } },
  },
  required: [],
}

/** What the asked client answered, or why it could not, as a text. */
async function reported(answer: Promise<unknown>) {
  try {
    return said(JSON.stringify(await answer))
  } catch (error) {
    return said(`not answered: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What the client is asked, by a request of its own or within the answer. */
interface Question {
  readonly push: (context: ServerContext) => Promise<unknown>
  readonly within: NonNullable<Parameters<typeof inputRequired>[0]['inputRequests']>[string]
}

/** A stateless server has no request of its own: it asks within its answer, and is called again. */
function asked(context: ServerContext, { push, within }: Question) {
  const { envelope, inputResponses } = context.mcpReq
  if (envelope === undefined) return reported(push(context))
  const answer = inputResponses?.answer
  return answer === undefined
    ? inputRequired({ inputRequests: { answer: within } })
    : said(JSON.stringify(answer))
}

// By `send`, and not by the SDK's shortcuts: those leave the stream of the call for that of the
// session, which the client may not have opened yet.
const elicited = (context: ServerContext, message: string, requestedSchema: Form) =>
  asked(context, {
    push: ({ mcpReq }) =>
      mcpReq.send({ method: 'elicitation/create', params: { message, requestedSchema } }),
    within: inputRequired.elicit({ message, requestedSchema }),
  })

const sampled = (context: ServerContext, prompt: string) => {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }]
  const params = { messages, maxTokens: 100 }
  return asked(context, {
    push: ({ mcpReq }) => mcpReq.send({ method: 'sampling/createMessage', params }),
    within: inputRequired.createMessage(params),
  })
}

/** Tools that ask the client: by a request of their own in a session, else within their answer. */
export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'asks the model', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, context) => sampled(context, prompt),
  )
  server.registerTool(
    'test_elicitation',
    { description: 'asks the user', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => elicited(context, message, formOf('response', 'string')),
  )
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'asks the user with a filled form', inputSchema: z.object({}) },
    (_, context) => elicited(context, 'Are these right?', DEFAULTS),
  )
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'asks the user to choose', inputSchema: z.object({}) },
    (_, context) => elicited(context, 'Which of these?', CHOICES),
  )
}
