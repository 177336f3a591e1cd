import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  BareClient,
  decisionOf,
  eventsOf,
  isForwarded,
  type Message,
  type ToolResult,
} from '../fakes/mcp-http.ts'
import { type Served, Space } from '../fakes/space.ts'
import { until } from '../fakes/until.ts'

const REFERENCE = fileURLToPath(new URL('../fakes/reference-server/main.ts', import.meta.url))
const SMALL = fileURLToPath(new URL('../fakes/children/modern-server.ts', import.meta.url))
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']
const TOKENS = {
  all: 'stacks-token-of-all-1',
  some: 'stacks-token-of-some-1',
  limited: 'stacks-token-of-limited-1',
  direct: 'stacks-token-of-direct-1',
  other: 'stacks-token-of-other-1',
}

const space = new Space()
let served: Served
let config: { readonly stacks: object; readonly [key: string]: object }
let all: BareClient
let some: BareClient
let limited: BareClient
let direct: BareClient
beforeAll(async () => {
  const http = space.startOther([...NODE, REFERENCE, '--eras', 'modern'])
  const url = (await http.line('listening on ')).slice('listening on '.length)
  const [command, ...args] = NODE
  space.file('all.json', { version: '1', default: 'allow' })
  space.file('strict.json', {
    version: '1',
    default: 'deny',
    hide: ['test_image_content'],
    tools: { test_simple_text: {}, test_error_handling: { action: 'deny', reason: 'no errors' } },
    resources: { default: 'deny', allow: ['test://static-text'] },
  })
  space.file('twice.json', {
    version: '1',
    default: 'allow',
    tools: { '*': { limits: [{ counter: 'calls', window: 'month', max: 2 }] } },
  })
  config = {
    servers: {
      ref: { url },
      pipe: { command, args: [...args, REFERENCE, '--stdio', '--eras', 'modern'] },
      small: { command, args: [...args, SMALL, 'stdio'] },
    },
    policies: { all: './all.json', strict: './strict.json', twice: './twice.json' },
    stacks: { work: { servers: ['ref', 'pipe', 'small'] }, other: { servers: ['small'] } },
    grants: {
      all: { stack: 'work', policy: 'all', token: TOKENS.all },
      some: { stack: 'work', policies: { ref: 'strict', small: 'all' }, token: TOKENS.some },
      limited: { stack: 'work', policy: 'twice', token: TOKENS.limited },
      direct: { server: 'ref', policy: 'all', token: TOKENS.direct },
      other: { stack: 'other', policy: 'all', token: TOKENS.other },
    },
  }
  served = await space.serve(config)
  const of = (token: string) => new BareClient(`${served.url}/stacks/work`, token)
  all = of(TOKENS.all)
  some = of(TOKENS.some)
  limited = of(TOKENS.limited)
  direct = new BareClient(served.mcp('ref'), TOKENS.direct)
})
afterAll(() => space.close())

type Item = Record<string, unknown> & { name: string; uri?: string; uriTemplate?: string }
async function list(client: BareClient, method: string, member: string): Promise<Item[]> {
  const { message } = await client.request(method)
  return message.result?.[member] as Item[]
}

describe('one endpoint for several servers', () => {
  test('lists the tools of all, in the order of the configuration, without a collision', async () => {
    const names = (await list(all, 'tools/list', 'tools')).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect([...new Set(names.map((name) => name.split('__')[0]))]).toEqual(['ref', 'pipe', 'small'])
    expect(names).toContain('ref__test_simple_text')
    expect(names).toContain('pipe__test_simple_text')
    expect(names).toContain('small__echo')
    expect(names.every((name) => /^[A-Za-z0-9_.-]{1,128}$/.test(name))).toBe(true)
  })

  test('leaves every definition as its server wrote it, but for the name', async () => {
    const own = (await direct.request('tools/list')).text
    const stacked = (await all.request('tools/list')).text
    const definitions = (text: string) =>
      (JSON.parse(text) as { result: { tools: Item[] } }).result.tools
    const expected = definitions(own).map((tool) =>
      JSON.stringify({ ...tool, name: `ref__${tool.name}` }),
    )
    const got = definitions(stacked)
      .filter(({ name }) => name.startsWith('ref__'))
      .map((tool) => JSON.stringify(tool))
    expect(got).toEqual(expected)
  })

  test('lists prompts, resources and templates of all', async () => {
    const prompts = await list(all, 'prompts/list', 'prompts')
    expect(prompts.map(({ name }) => name)).toContain('pipe__test_simple_prompt')
    const uris = (await list(all, 'resources/list', 'resources')).map(({ uri }) => uri)
    expect(uris).toContain('ref+test://static-text')
    expect(uris).toContain('pipe+test://static-text')
    const templates = await list(all, 'resources/templates/list', 'resourceTemplates')
    expect(templates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'ref+test://template/{id}/data',
      'pipe+test://template/{id}/data',
    ])
  })

  test('says what its servers can do together', async () => {
    const { result } = (await all.request('server/discover')).message
    expect(result).toMatchObject({
      supportedVersions: expect.arrayContaining(['2026-07-28']),
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
      },
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'work' } },
    })
    expect(result?.instructions).toContain('ref, pipe, small')
  })

  test('calls, gets, reads and completes at the server that is named', async () => {
    expect((await all.call('small__echo', { text: 'hé' })).message.result?.content).toEqual([
      { type: 'text', text: 'echo: hé' },
    ])
    const prompt = await all.request('prompts/get', { name: 'pipe__test_simple_prompt' })
    expect(prompt.message.result?.messages).toHaveLength(1)
    const read = await all.request('resources/read', { uri: 'pipe+test://template/7/data' })
    expect(read.message.result?.contents).toMatchObject([{ uri: 'pipe+test://template/7/data' }])
    const completed = await all.request('completion/complete', {
      ref: { type: 'ref/prompt', name: 'ref__test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'a' },
    })
    expect(completed.message.result?.completion).toBeDefined()
  })

  test('what a result refers to can be read through the stack', async () => {
    const called = await all.call('pipe__test_embedded_resource')
    expect(called.message.result?.content).toMatchObject([
      { type: 'resource', resource: { uri: 'pipe+test://embedded-resource' } },
    ])
    const got = await all.request('prompts/get', {
      name: 'ref__test_prompt_with_embedded_resource',
      arguments: { resourceUri: 'test://static-text' },
    })
    const messages = got.message.result?.messages ?? []
    const [first] = messages as { content: { resource: { uri: string } } }[]
    expect(first?.content.resource.uri).toBe('ref+test://static-text')
    const read = await all.request('resources/read', { uri: first?.content.resource.uri })
    expect(read.message.result?.contents).toMatchObject([
      { text: 'This is the content of the static text resource.' },
    ])
  })

  test.each(['nobody__echo', 'small__nothing', 'echo', '__echo', 'small__small__echo'])(
    '%s is no tool',
    async (name) => {
      const { status, message } = await all.call(name)
      expect([status, message.error]).toEqual([
        200,
        { code: -32602, message: `Unknown tool: ${name}` },
      ])
    },
  )

  test.each(['test://static-text', 'nobody+test://static-text', 'small'])(
    '%s is no resource',
    async (uri) => {
      const { message } = await all.request('resources/read', { uri })
      expect(message.error).toEqual({ code: -32602, message: `Unknown resource: ${uri}` })
    },
  )

  test('a vendor’s method reaches no server', async () => {
    const { status, message } = await all.request('vendor/thing')
    expect([status, message.error?.data?.code]).toEqual([404, 'method_unknown'])
  })

  test('mirrored arguments are checked against the tool of the server that is named', async () => {
    const send = (region: string | undefined) =>
      fetch(all.url, {
        method: 'POST',
        headers: {
          ...all.headers('tools/call', 'ref__test_x_mcp_header'),
          ...(region === undefined ? {} : { 'mcp-param-region': region }),
        },
        body: all.body('tools/call', {
          name: 'ref__test_x_mcp_header',
          arguments: { region: 'north' },
        }),
      }).then(async (response) => (await response.json()) as Message)
    expect(JSON.stringify((await send('north')).result)).toContain('region=north')
    expect((await send('south')).error?.code).toBe(-32020)
    expect((await send(undefined)).error?.code).toBe(-32020)
  })
})

describe('every server keeps its own policy', () => {
  test('lists hold what each policy shows, and nothing of a server without one', async () => {
    const names = (await list(some, 'tools/list', 'tools')).map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('pipe__'))).toEqual([])
    expect(names).toContain('ref__test_simple_text')
    expect(names).toContain('ref__test_error_handling')
    expect(names).not.toContain('ref__test_image_content')
    expect(names).toContain('small__secret')
  })

  test('calls are decided by the policy of their server', async () => {
    expect(isForwarded(await some.call('ref__test_simple_text'))).toBe(true)
    expect(decisionOf(await some.call('ref__test_error_handling'))).toMatchObject({
      rule: '/tools/test_error_handling/action',
    })
    expect(decisionOf(await some.call('pipe__test_simple_text'))).toMatchObject({
      rule: '(no policy)',
    })
    const hidden = await some.call('ref__test_image_content')
    expect(hidden.message.error?.message).toBe('Unknown tool: ref__test_image_content')
  })

  test('resources are, too', async () => {
    const read = (uri: string) => some.request('resources/read', { uri })
    expect((await read('ref+test://static-text')).message.result).toBeDefined()
    expect((await read('ref+test://static-binary')).message.error).toBeDefined()
    expect((await read('pipe+test://static-text')).message.error?.data?.code).toBe('policy_denied')
  })

  test('limits are counted for each server by itself', async () => {
    const call = async (name: string) => isForwarded(await limited.call(name, { text: 'x' }))
    expect(await call('small__echo')).toBe(true)
    expect(await call('small__echo')).toBe(true)
    expect(await call('small__echo')).toBe(false)
    expect(await call('ref__test_simple_text')).toBe(true)
    expect(await call('ref__test_simple_text')).toBe(true)
    expect(await call('ref__test_simple_text')).toBe(false)
  })

  test('records name the server and its own name of the tool', async () => {
    await some.call('ref__test_error_handling')
    const { out } = await space.run(['log', '--json', '--server', 'ref', '--effect', 'deny'])
    expect(out).toContain('"server":"ref"')
    expect(out).toContain('"tool":"test_error_handling"')
    expect(out).not.toContain('ref__')
    await all.call('nobody__echo')
    expect((await space.run(['log', '--json', '--server', 'stacks/work'])).out).toContain(
      '"tool":"nobody__echo"',
    )
  })

  test('an edit of one policy is in force for that server at once', async () => {
    space.file('twice.json', { version: '1', default: 'deny', hide: ['*'] })
    await served.program.event('config.swapped')
    await expect
      .poll(async () => (await list(limited, 'tools/list', 'tools')).length, { timeout: 5_000 })
      .toBe(0)
  })
})

test('a grant opens its stack, and nothing else', async () => {
  const status = (path: string, token: string) =>
    new BareClient(served.url + path, token)
      .request('tools/list')
      .then(({ status: s, message }) => [s, message.error?.data?.code])
  expect(await status('/mcp/ref', TOKENS.all)).toEqual([403, 'grant_elsewhere'])
  expect(await status('/mcp/work', TOKENS.all)).toEqual([404, 'not_found'])
  expect(await status('/stacks/other', TOKENS.all)).toEqual([403, 'grant_elsewhere'])
  expect(await status('/stacks/work', TOKENS.direct)).toEqual([403, 'grant_elsewhere'])
  expect(await status('/stacks/ref', TOKENS.direct)).toEqual([404, 'not_found'])
})

describe('what streams', () => {
  test('a subscription hears all servers, under one acknowledgement', async () => {
    const controller = new AbortController()
    const response = await all.open(
      'subscriptions/listen',
      {
        notifications: {
          toolsListChanged: true,
          resourceSubscriptions: ['pipe+test://watched-resource', 'nobody+test://x'],
        },
      },
      controller.signal,
    )
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
    })().catch(() => {})
    const messages = () => eventsOf(text).map((data) => JSON.parse(data) as Message)
    const heard = (method: string) => messages().filter((message) => message.method === method)
    await until(() => messages().length > 0, 'the acknowledgement')
    const id = { 'io.modelcontextprotocol/subscriptionId': expect.any(Number) }
    expect(messages()).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: {
          _meta: id,
          notifications: {
            toolsListChanged: true,
            resourceSubscriptions: ['pipe+test://watched-resource'],
          },
        },
      },
    ])
    await all.call('ref__test_trigger_tool_change')
    await until(() => heard('notifications/tools/list_changed').length === 1, 'a change at ref')
    await all.call('pipe__test_trigger_resource_update')
    await until(() => heard('notifications/resources/updated').length === 1, 'an update at pipe')
    expect(heard('notifications/resources/updated')).toMatchObject([
      { params: { _meta: id, uri: 'pipe+test://watched-resource' } },
    ])
    controller.abort()
    await reading
  })

  test('a server may ask the client in the middle of a call', async () => {
    const client = new Client(
      { name: 'modern', version: '1' },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { name: 'Ada' },
    }))
    const url = new URL(`${served.url}/stacks/work`)
    await client.connect(
      new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { Authorization: `Bearer ${TOKENS.all}` } },
      }),
    )
    const progress: number[] = []
    const call = async (name: string, options = {}) =>
      ((await client.callTool({ name, arguments: {} }, options)) as unknown as ToolResult).content
    expect(await call('ref__test_input_required_result_elicitation')).toEqual([
      { type: 'text', text: 'Hello, Ada!' },
    ])
    expect(await call('pipe__test_input_required_result_elicitation')).toEqual([
      { type: 'text', text: 'Hello, Ada!' },
    ])
    await call('pipe__test_tool_with_progress', {
      onprogress: (p: { progress: number }) => progress.push(p.progress),
    })
    expect(progress).toEqual([0, 50, 100])
    await client.close()
  })

  test('what a client gives up is given up at the server', async () => {
    const aborted = async () =>
      Number((await all.call('small__aborted')).message.result?.content?.[0]?.text)
    const before = await aborted()
    const controller = new AbortController()
    const held = await all.open(
      'tools/call',
      { name: 'small__hold', arguments: {}, _meta: { progressToken: 1 } },
      controller.signal,
    )
    const reader = held.body?.getReader()
    await reader?.read()
    controller.abort()
    await expect.poll(aborted, { timeout: 5_000 }).toBe(before + 1)
  })
})

test('servers join and leave a stack by an edit, and a client that listens is told', async () => {
  const other = new BareClient(`${served.url}/stacks/other`, TOKENS.other)
  const servers = async () => [
    ...new Set((await list(other, 'tools/list', 'tools')).map(({ name }) => name.split('__')[0])),
  ]
  expect(await servers()).toEqual(['small'])
  const controller = new AbortController()
  const params = { notifications: { toolsListChanged: true } }
  const stream = await other.open('subscriptions/listen', params, controller.signal)
  let heard = ''
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) heard += Buffer.from(chunk).toString()
  })().catch(() => {})
  await until(() => heard.includes('acknowledged'), 'the acknowledgement')
  const become = (members: readonly string[]) =>
    space.file('sallyport.yaml', {
      version: 1,
      ...config,
      stacks: { ...config.stacks, other: { servers: members } },
    })
  become(['pipe', 'small'])
  await until(() => heard.includes('tools/list_changed'), 'the news')
  expect(await servers()).toEqual(['pipe', 'small'])
  become(['pipe'])
  await expect.poll(servers, { timeout: 5_000 }).toEqual(['pipe'])
  const gone = await other.call('small__echo', { text: 'x' })
  expect(gone.message.error?.message).toBe('Unknown tool: small__echo')
  controller.abort()
  await reading
})
