/**
 * A stdio MCP server that does what the name of the called tool says, good or bad. It speaks bytes,
 * not through a library, so that it can also speak badly. Run it with Node.
 */
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { createInterface } from 'node:readline'

type Id = string | number
interface Message {
  id?: Id
  method?: string
  params?: {
    name?: string
    protocolVersion?: string
    arguments?: { n?: number; text?: string; id?: Id; code?: number; method?: string }
    _meta?: { progressToken?: Id }
    requestId?: Id
    capabilities?: unknown
  }
  result?: unknown
  error?: unknown
}

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
const write = (text: string | Buffer): boolean => process.stdout.write(text)
const send = (message: object): boolean =>
  write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (content: string): object => ({ content: [{ type: 'text', text: content }] })

/** Every notification and cancelled id so far, for the tool `seen`. */
const seen: string[] = []
const asked = new Map<string, (message: Message) => void>()
const answers: Message[] = []
const listening = new Set<Id>()
/** Answers that wait until another message has been answered. */
let postponed: (() => void)[] = []
let capabilities: unknown

/** One script a tool. */
const tools: Record<string, (id: Id, message: Message, line: string) => void> = {
  pid: (id) => send({ id, result: text(String(process.pid)) }),
  line: (id, _message, line) => send({ id, result: text(line) }),
  environment: (id) => send({ id, result: text(JSON.stringify(process.env)) }),
  capabilities: (id) => send({ id, result: text(JSON.stringify(capabilities ?? null)) }),
  seen: (id) => send({ id, result: text(JSON.stringify(seen)) }),
  fail: (id) => send({ id, error: { code: -32602, message: 'no', data: { why: 'script' } } }),
  silent: () => {},
  postponed: (id) => postponed.push(() => send({ id, result: text('at last') })),
  numbers: (id) =>
    write(
      `{"result":{"big":12345678901234567890,"one":1.0},"id":${JSON.stringify(id)},"jsonrpc":"2.0"}\n`,
    ),
  progress: (id, { params }) => {
    const progressToken = params?._meta?.progressToken
    for (let progress = 1; progress <= (params?.arguments?.n ?? 3); progress++)
      send({ method: 'notifications/progress', params: { progressToken, progress } })
    send({ id, result: text('done') })
  },
  trickle: (_id, { params }) => {
    const progressToken = params?._meta?.progressToken
    for (let progress = 1; progress <= (params?.arguments?.n ?? 3); progress++)
      send({ method: 'notifications/progress', params: { progressToken, progress } })
  },
  ask: (id, { params }) => {
    const mine = params?.arguments?.id ?? 'ask-1'
    asked.set(JSON.stringify(mine), (answer) => send({ id, result: text(JSON.stringify(answer)) }))
    send({ id: mine, method: params?.arguments?.method ?? 'roots/list', params: {} })
  },
  questions: (id, { params }) => {
    send({ id, result: text('asking') })
    for (let n = 1; n <= (params?.arguments?.n ?? 1); n++) {
      asked.set(JSON.stringify(`q${n}`), (answer) => answers.push(answer))
      send({ id: `q${n}`, method: 'roots/list', params: {} })
    }
  },
  answers: (id) => send({ id, result: text(JSON.stringify(answers)) }),
  blind: () => {
    setInterval(() => {}, 60_000)
    closeSync(0)
  },
  mute: () => {
    setInterval(() => {}, 60_000)
    closeSync(1)
  },
  log: (id) => {
    send({ method: 'notifications/message', params: { level: 'info', data: 'said on the way' } })
    send({ id, result: text('logged') })
  },
  later: (id, { params }) => {
    send({ id, result: text('soon') })
    for (let n = 1; n <= (params?.arguments?.n ?? 1); n++)
      send({ method: 'notifications/tools/list_changed', params: { n } })
  },
  die: (_id, { params }) => process.exit(params?.arguments?.code ?? 3),
  crash: () => process.kill(process.pid, 'SIGKILL'),
  babble: (id) => {
    write('Starting up…\n\n[1, 2]\n{"jsonrpc":"2.0"}\n')
    write(Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]))
    send({ id, result: text('after the babble') })
  },
  giant: (id, { params }) => send({ id, result: text('g'.repeat(params?.arguments?.n ?? 1)) }),
  crlf: (id) => write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},\r "result":{"crlf":true}}\r\n`),
  batch: (id) => {
    const note = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 1 },
    }
    write(`${JSON.stringify([note, { jsonrpc: '2.0', id, result: text('batched') }])}\n`)
  },
  split: (id, { params }) => {
    const line = `${JSON.stringify({ jsonrpc: '2.0', id, result: text(params?.arguments?.text ?? '') })}\n`
    const bytes = [...Buffer.from(line)]
    const next = (): void => {
      const byte = bytes.shift()
      if (byte !== undefined) process.stdout.write(Buffer.from([byte]), () => setImmediate(next))
    }
    next()
  },
  stderr: (id, { params }) => {
    process.stderr.write(params?.arguments?.text ?? 'a line\n', () =>
      send({ id, result: text('said') }),
    )
  },
  grandchild: (id) => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' })
    child.once('spawn', () => send({ id, result: text(String(child.pid)) }))
  },
  stubborn: (id) => {
    process.on('SIGTERM', () => {})
    setInterval(() => {}, 60_000)
    send({ id, result: text('will not go') })
  },
  deaf: (id) => {
    send({ id, result: text('will not read') })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
  duplicate: (id) => {
    send({ id, result: text('first') })
    send({ id, result: text('second') })
  },
}

function onMessage(message: Message, line: string): void {
  const due = postponed
  postponed = []
  react(message, line)
  for (const answer of due) answer()
}

function react(message: Message, line: string): void {
  const { id, method, params } = message
  if (method === undefined) {
    const waiting = asked.get(JSON.stringify(id))
    asked.delete(JSON.stringify(id))
    waiting?.(message)
  } else if (id === undefined) {
    seen.push(line)
    if (method === 'notifications/cancelled' && params?.requestId !== undefined)
      endSubscription(params.requestId)
  } else onRequest(id, message, line)
}

function onRequest(id: Id, message: Message, line: string): void {
  const { method, params } = message
  switch (method) {
    case 'initialize':
      capabilities = params?.capabilities
      if (process.env.SCRIPT_REFUSES !== undefined) {
        send({ id, error: { code: -32602, message: 'unsupported protocol version' } })
        return
      }
      send({
        id,
        result: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'scripted', version: '1', pid: process.pid },
        },
      })
      return
    case 'server/discover':
      // By default it does not know this request, as servers with sessions do not.
      if (process.env.SCRIPT_STATELESS === undefined) break
      send({
        id,
        result: { supportedVersions: ['2026-07-28'], capabilities: { logging: {} } },
      })
      return
    case 'tools/call': {
      const tool = tools[params?.name ?? '']
      if (tool === undefined) send({ id, error: { code: -32602, message: 'Unknown tool' } })
      else tool(id, message, line)
      return
    }
    case 'subscriptions/listen': {
      const params = { _meta: { [SUBSCRIPTION_ID]: id } }
      listening.add(id)
      send({ method: 'notifications/subscriptions/acknowledged', params })
      send({ method: 'notifications/tools/list_changed', params })
      return
    }
    case 'ping':
      send({ id, result: {} })
      return
    default:
  }
  send({ id, error: { code: -32601, message: 'Method not found' } })
}

function endSubscription(id: Id): void {
  if (listening.delete(id)) send({ id, result: { _meta: { [SUBSCRIPTION_ID]: id } } })
}

const input = createInterface({ input: process.stdin })
input.on('line', (line) => onMessage(JSON.parse(line) as Message, line))
