import {
  acceptedContent,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { formOf, PIXEL } from './samples.ts'

const user = <C>(content: C) => ({ role: 'user' as const, content })
const texted = (text: string) => user({ type: 'text' as const, text })

/** Prompts: without and with arguments, with a file, with an image, and one that asks first. */
export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'takes nothing' }, () => ({
    messages: [texted('This is a simple prompt for testing.')],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'takes two arguments',
      argsSchema: z.object({ arg1: z.string(), arg2: z.string() }),
    },
    ({ arg1, arg2 }) => ({
      messages: [texted(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
    }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      description: 'takes the URI of a file to include',
      argsSchema: z.object({ resourceUri: z.string() }),
    },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'a file inside a prompt' }
      return { messages: [user({ type: 'resource', resource }), texted('Read the file above.')] }
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'includes an image' }, () => {
    const image = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' }
    return { messages: [user(image), texted('What is in the image above?')] }
  })
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'asks for its context first' },
    (context: ServerContext) => {
      const asked = z.object({ context: z.string() })
      const answer = acceptedContent(context.mcpReq.inputResponses, 'user_context', asked)
      if (answer !== undefined) return { messages: [texted(`In this context: ${answer.context}`)] }
      const user_context = inputRequired.elicit({
        message: 'In what context?',
        requestedSchema: formOf('context', 'string'),
      })
      return inputRequired({ inputRequests: { user_context } })
    },
  )
}
