/** A server of both eras that has secrets, tells them unasked, and keeps every message that it got. */
import { appendFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

export interface Sent {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
}

const schema = { type: 'object' }
const named = (...names: readonly string[]) => names.map((name) => ({ name, inputSchema: schema }))
const uris = (...all: readonly string[]) => all.map((uri) => ({ uri, name: uri }))

export const DENIED_URI = 'file:///secret/passwd'

const RESULTS: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: {
      tools: {},
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      tasks: {},
    },
    serverInfo: { name: 'secretive', version: '1' },
  },
  'server/discover': {
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {} },
  },
  'tools/list': {
    tools: [
      ...named('open', 'slow', 'secret_denied'),
      { ...named('secret_hidden')[0], _meta: { ui: { resourceUri: 'ui://secret/page' } } },
      { ...named('shown')[0], _meta: { ui: { resourceUri: 'ui://open/page' } } },
    ],
  },
  'prompts/list': {
    prompts: [{ name: 'open' }, { name: 'secret_denied' }, { name: 'secret_hidden' }],
  },
  'resources/list': {
    resources: uris(
      'file:///open/a',
      DENIED_URI,
      'file:///hidden/secret',
      'ui://secret/page',
      'ui://open/page',
    ),
  },
  'resources/templates/list': {
    resourceTemplates: [
      { name: 'open', uriTemplate: 'file:///open/{name}' },
      { name: 'secret', uriTemplate: 'file:///hidden/secret/{name}' },
    ],
  },
  'tasks/list': {
    tasks: [{ taskId: 'task-of-another' }, { taskId: 'task-open' }, { taskId: 'task-of-secret' }],
  },
}

const TASK = { taskId: 'task-open', status: 'working', createdAt: '', lastUpdatedAt: '', ttl: null }

/** What it says to a message: notices, then the answer. */
export function saidTo({ id, method, params }: Sent): readonly object[] {
  if (id === undefined || method === undefined) return []
  const wantsTask = method === 'tools/call' && params?.name === 'slow'
  const isModern = JSON.stringify(params?._meta ?? {}).includes('2026-07-28')
  const result = wantsTask
    ? isModern
      ? { ...TASK, resultType: 'task', ttlMs: null }
      : { task: TASK }
    : { content: [{ type: 'text', text: `done ${method}` }], ...RESULTS[method] }
  const answer = {
    jsonrpc: '2.0',
    id,
    result: {
      ...(isModern && !wantsTask ? { resultType: 'complete', ttlMs: 0, cacheScope: 'public' } : {}),
      ...result,
    },
  }
  if (method !== 'subscriptions/listen' && method !== 'resources/subscribe') return [answer]
  const about = (uri: string) => ({
    jsonrpc: '2.0',
    method: 'notifications/resources/updated',
    params: { uri },
  })
  const ofTask = (taskId: string) => ({
    jsonrpc: '2.0',
    method: isModern ? 'notifications/tasks' : 'notifications/tasks/status',
    params: { ...TASK, taskId },
  })
  const agreed = {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: params?.notifications },
  }
  return [
    ...(isModern ? [agreed] : []),
    about('file:///open/a'),
    about(DENIED_URI),
    about('FILE:///%73ecret/passwd'),
    ofTask('task-of-secret'),
    answer,
  ]
}

/** The same over HTTP; every message that it gets goes to `got`. */
export async function serveSecretive(got: Sent[]): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(request.method === 'DELETE' ? 200 : 405).end()
        return
      }
      const message = JSON.parse(text) as Sent
      got.push(message)
      const said = saidTo(message)
      if (said.length === 0) response.writeHead(202).end()
      else if (said.length === 1)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said[0]))
      else
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(said.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/mcp`, server }
}

/** As a process: one message in each line, and each that it gets in the file that it is given. */
function main(file: string): void {
  createInterface({ input: process.stdin }).on('line', (line) => {
    appendFileSync(file, `${line}\n`)
    for (const one of saidTo(JSON.parse(line) as Sent))
      process.stdout.write(`${JSON.stringify(one)}\n`)
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv[2] ?? '')
