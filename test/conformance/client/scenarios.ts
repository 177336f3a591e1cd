import type { Client, Transport } from '@modelcontextprotocol/client'

/** How a scenario is played by a client that is connected. */
export interface Play {
  readonly capabilities?: Readonly<Record<string, object>>
  /** What the user answers when the server asks for input. */
  readonly answer?: Readonly<Record<string, string | boolean>>
  /** False for mock servers that have no `server/discover`: the client then presumes the revision. */
  readonly hasDiscover?: boolean
  play(client: Client): Promise<void>
}

export type Connected = (transport: Transport) => Promise<void>

const list = async (client: Client): Promise<void> => void (await client.listTools())

/** Calls every tool that the client takes for usable. */
async function callAll(client: Client): Promise<void> {
  const { tools } = await client.listTools()
  for (const { name } of tools) {
    // A tool that should have been dropped is the suite's to complain about.
    await client.callTool({ name, arguments: { region: 'us-west1' } }).catch(() => {})
  }
}

/** Makes the calls that the suite hands over, whose headers it then looks at. */
async function callAsTold(client: Client): Promise<void> {
  await client.listTools()
  const told = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as {
    toolCalls?: { name: string; arguments: Record<string, unknown> }[]
  }
  for (const call of told.toolCalls ?? []) await client.callTool(call)
}

const calling =
  (name: string, args: Record<string, unknown> = {}) =>
  async (client: Client): Promise<void> => {
    await client.listTools()
    await client.callTool({ name, arguments: args })
  }

/** The first of everything, each asked for in its own way. */
async function useEverything(client: Client): Promise<void> {
  const [tool] = (await client.listTools()).tools
  if (tool !== undefined) await client.callTool({ name: tool.name, arguments: {} })
  const [resource] = (await client.listResources()).resources
  if (resource !== undefined) await client.readResource({ uri: resource.uri })
  const [prompt] = (await client.listPrompts()).prompts
  if (prompt !== undefined) await client.getPrompt({ name: prompt.name, arguments: {} })
}

/** Rounds with and without a state; what is no valid result must not be asked for again. */
async function playRounds(client: Client): Promise<void> {
  for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_unrelated'])
    await client.callTool({ name, arguments: {} })
  await client.callTool({ name: 'test_mrtr_no_result_type', arguments: {} }).catch(() => {})
}

/** Sends a tool's schema back as the client saw it. */
async function echoSchema(client: Client): Promise<void> {
  const { tools } = await client.listTools()
  const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
  await client.callTool({ name: 'json_schema_echo', arguments: { schema } })
}

/** The suite's client scenarios outside `auth/*`, by name. */
export const SCENARIOS: Readonly<Record<string, Play>> = {
  initialize: { play: list },
  tools_call: { play: calling('add_numbers', { a: 5, b: 3 }) },
  'elicitation-sep1034-client-defaults': {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    answer: {},
    play: calling('test_client_elicitation_defaults'),
  },
  'sse-retry': { play: calling('test_reconnection') },
  'json-schema-2020-12-preservation': { play: echoSchema },
  'json-schema-ref-no-deref': { play: list },
  'request-metadata': {
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} },
    // Connecting is all there is to see.
    play: async () => {},
  },
  'sep-2322-client-request-state': {
    capabilities: { elicitation: {} },
    answer: { confirmed: true },
    hasDiscover: false,
    play: playRounds,
  },
  'http-standard-headers': { hasDiscover: false, play: useEverything },
  'http-custom-headers': { hasDiscover: false, play: callAsTold },
  'http-invalid-tool-headers': { hasDiscover: false, play: callAll },
}
