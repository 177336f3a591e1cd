import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { formOf, said } from './samples.ts'

/** What a call carries from one round to the next. */
export interface RoundState {
  readonly tool: string
  readonly round?: number
  readonly name?: string
}

type Answer = CallToolResult | InputRequiredResult

const ask = (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({ message, requestedSchema: formOf(field, type) })
const sample = (text: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 50,
  })

const sampled = z.object({ content: z.object({ text: z.string() }) })
const rooted = z.object({ roots: z.array(z.object({ uri: z.string() })) })
/** The answer under a key, or nothing when it is missing or of another shape. */
const read = <T>(shape: z.ZodType<T>, answers: Record<string, unknown> | undefined, key: string) =>
  shape.safeParse(answers?.[key]).data
const nameIn = (answers: Record<string, unknown> | undefined, key: string) =>
  acceptedContent(answers, key, z.object({ name: z.string() }))?.name

/** Tools that ask the client within their answer and go on when they are called again. */
export function addRoundTools(server: McpServer, codec: RequestStateCodec<RoundState>): void {
  const add = (
    name: string,
    description: string,
    call: (_: unknown, context: ServerContext) => Answer | Promise<Answer>,
  ) => server.registerTool(name, { description, inputSchema: z.object({}) }, call)

  add('test_input_required_result_elicitation', 'asks for a name', (_, { mcpReq }) => {
    const name = nameIn(mcpReq.inputResponses, 'user_name')
    if (name !== undefined) return said(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } })
  })
  add('test_input_required_result_sampling', 'asks the model', (_, { mcpReq }) => {
    const answer = read(sampled, mcpReq.inputResponses, 'capital_question')
    if (answer !== undefined) return said(`The model says: ${answer.content.text}`)
    const capital_question = sample('What is the capital of France?')
    return inputRequired({ inputRequests: { capital_question } })
  })
  add('test_input_required_result_list_roots', 'asks for the roots', (_, { mcpReq }) => {
    const answer = read(rooted, mcpReq.inputResponses, 'client_roots')
    if (answer !== undefined) return said(answer.roots.map(({ uri }) => uri).join(', '))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  add('test_missing_capability', 'asks the model, whoever calls', (_, { mcpReq }) => {
    if (mcpReq.inputResponses?.llm_answer !== undefined) return said('the model answered')
    return inputRequired({ inputRequests: { llm_answer: sample('Say pong.') } })
  })

  const confirmed = (answers: Record<string, unknown> | undefined) =>
    acceptedContent(answers, 'confirm', z.object({ ok: z.boolean() })) !== undefined
  const confirm = { confirm: ask('Are you sure?', 'ok', 'boolean') }
  add('test_input_required_result_request_state', 'carries a state', async (_, { mcpReq }) => {
    if (confirmed(mcpReq.inputResponses)) {
      if (mcpReq.requestState<RoundState>() !== undefined) return said('state-ok')
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'the state is missing')
    }
    const requestState = await codec.mint({ tool: 'request_state' })
    return inputRequired({ inputRequests: confirm, requestState })
  })
  add('test_input_required_result_tampered_state', 'guards its state', async (_, { mcpReq }) => {
    const state = mcpReq.requestState<RoundState>()
    if (state !== undefined && confirmed(mcpReq.inputResponses)) return said('integrity-ok')
    const requestState = await codec.mint({ tool: 'tampered_state' })
    return inputRequired({ inputRequests: confirm, requestState })
  })

  add('test_input_required_result_multiple_inputs', 'asks three things', async (_, { mcpReq }) => {
    const name = nameIn(mcpReq.inputResponses, 'user_name')
    const greeting = read(sampled, mcpReq.inputResponses, 'greeting')
    const answer = read(rooted, mcpReq.inputResponses, 'client_roots')
    if (name !== undefined && greeting !== undefined && answer !== undefined) {
      return said(`${greeting.content.text} ${name}, with ${answer.roots.length} roots`)
    }
    const inputRequests = {
      user_name: ask('What is your name?', 'name'),
      greeting: sample('Greet somebody.'),
      client_roots: inputRequired.listRoots(),
    }
    return inputRequired({ inputRequests, requestState: await codec.mint({ tool: 'multiple' }) })
  })
  add('test_input_required_result_multi_round', 'asks twice', async (_, { mcpReq }) => {
    const state = mcpReq.requestState<RoundState>()
    const round = state?.tool === 'multi_round' ? (state.round ?? 0) : 0
    if (round === 0) {
      const requestState = await codec.mint({ tool: 'multi_round', round: 1 })
      return inputRequired({ inputRequests: { step1: ask('Your name?', 'name') }, requestState })
    }
    if (round === 1) {
      const name = nameIn(mcpReq.inputResponses, 'step1') ?? 'nobody'
      const requestState = await codec.mint({ tool: 'multi_round', round: 2, name })
      return inputRequired({ inputRequests: { step2: ask('Your colour?', 'color') }, requestState })
    }
    const answer = acceptedContent(mcpReq.inputResponses, 'step2', z.object({ color: z.string() }))
    return said(`${state?.name ?? 'nobody'} likes ${answer?.color ?? 'nothing'}`)
  })
  add('test_input_required_result_capabilities', 'asks what it may', (_, { mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return said('answered')
    const envelope: Record<string, unknown> | undefined = mcpReq.envelope
    const can = // With a session the client said it once, in `initialize`.
      envelope === undefined
        ? server.server.getClientCapabilities()
        : (envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined)
    const inputRequests: InputRequests = {
      ...(can?.elicitation && { user_name: ask('What is your name?', 'name') }),
      ...(can?.sampling && { greeting: sample('Greet somebody.') }),
      ...(can?.roots && { client_roots: inputRequired.listRoots() }),
    }
    if (Object.keys(inputRequests).length === 0) return said('there is nobody to ask')
    return inputRequired({ inputRequests })
  })
}
