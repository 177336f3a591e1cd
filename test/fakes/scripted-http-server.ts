import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { SCRIPTED } from './stdio-upstream.ts'

interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { progressToken?: unknown; _meta?: { progressToken?: unknown } }
}

interface Waiting {
  readonly response: ServerResponse
  readonly token: unknown
}

/** One session: the scripted server behind it, and who waits for what. */
class Session {
  readonly id = randomUUID()
  readonly child: ChildProcess
  readonly #waiting = new Map<string, Waiting>()
  #queue: string[] = []
  #stream: ServerResponse | undefined
  #name: string | undefined

  constructor(name: 'named' | 'stateless') {
    this.#name = name === 'named' ? this.id : undefined
    this.child = spawn(process.execPath, [SCRIPTED], { stdio: ['pipe', 'pipe', 'ignore'] })
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#route(line),
    )
    this.child.once('exit', () => {
      for (const { response } of this.#waiting.values()) response.destroy()
      this.#stream?.destroy()
    })
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  ask(text: string, message: Message, response: ServerResponse): void {
    const key = JSON.stringify(message.id)
    this.#waiting.set(key, { response, token: message.params?._meta?.progressToken })
    response.once('close', () => {
      if (!this.#waiting.delete(key) || this.#name !== undefined) return
      this.tell(
        `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${key}}}`,
      )
    })
    this.tell(text)
  }

  tell(text: string): void {
    this.child.stdin?.write(`${text}\n`)
  }

  listen(response: ServerResponse): void {
    this.#stream = response
    this.#begin(response)
    for (const line of this.#queue.splice(0)) response.write(`data: ${line}\n\n`)
  }

  #begin(response: ServerResponse): void {
    if (response.headersSent) return
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...this.#headers() })
    response.flushHeaders()
  }

  #headers(): Record<string, string> {
    return this.#name === undefined ? {} : { 'Mcp-Session-Id': this.#name }
  }

  #route(line: string): void {
    let message: Message
    try {
      message = JSON.parse(line)
    } catch {
      return
    }
    if (message.id !== undefined && message.method === undefined) this.#answer(line, message.id)
    else {
      const token = message.params?.progressToken
      const all = [...this.#waiting.values()]
      const target = token === undefined ? all.at(-1) : all.find((w) => w.token === token)
      if (target !== undefined) {
        this.#begin(target.response)
        target.response.write(`data: ${line}\n\n`)
      } else if (this.#stream === undefined) this.#queue.push(line)
      else this.#stream.write(`data: ${line}\n\n`)
    }
  }

  #answer(line: string, id: string | number): void {
    const key = JSON.stringify(id)
    const response = this.#waiting.get(key)?.response
    this.#waiting.delete(key)
    if (response?.headersSent === true) response.end(`data: ${line}\n\n`)
    else {
      response?.writeHead(200, { 'Content-Type': 'application/json', ...this.#headers() })
      response?.end(line)
    }
  }
}

/** The scripted server over Streamable HTTP, in both eras, on a free port of this machine. */
export async function openScriptedHttpServer(): Promise<{ url: string; close(): Promise<void> }> {
  const sessions = new Map<string, Session>()
  let stateless: Session | undefined

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const end = (status: number): void => void response.writeHead(status).end()
    const name = request.headers['mcp-session-id']
    const session = sessions.get(String(name))
    if (name !== undefined && session?.isAlive !== true) return end(404)
    if (request.method === 'DELETE') {
      session?.child.kill('SIGKILL')
      sessions.delete(String(name))
      return end(200)
    }
    if (request.method === 'GET') return session === undefined ? end(400) : session.listen(response)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const message = JSON.parse(text) as Message
    const target = session ?? (isModern(request) ? statelessOne() : opened(message))
    if (target === undefined) return end(400)
    if (message.id !== undefined && message.method !== undefined)
      return target.ask(text, message, response)
    target.tell(text)
    end(202)
  }
  const isModern = (request: IncomingMessage): boolean =>
    request.headers['mcp-protocol-version'] === '2026-07-28'
  const statelessOne = (): Session => {
    if (stateless?.isAlive !== true) stateless = new Session('stateless')
    return stateless
  }
  const opened = (message: Message): Session | undefined => {
    if (message.method !== 'initialize') return undefined
    const session = new Session('named')
    sessions.set(session.id, session)
    return session
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      for (const session of [...sessions.values(), ...(stateless === undefined ? [] : [stateless])])
        session.child.kill('SIGKILL')
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
