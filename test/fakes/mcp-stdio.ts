import type { Message } from './mcp-http.ts'
import type { Program } from './program.ts'
import { until } from './until.ts'

/** MCP with a program over its stdin and stdout, without a library. */
export class StdioTalk {
  readonly program: Program
  #nextId = 1

  constructor(program: Program) {
    this.program = program
  }

  /** Every line of stdout so far, parsed. @throws when one is not JSON. */
  get messages(): readonly Message[] {
    return this.program.lines.map((line) => JSON.parse(line) as Message)
  }

  send(message: Message): void {
    this.program.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  /** Sends a request; gives its id. */
  ask(method: string, params: Record<string, unknown> = {}): number {
    const id = this.#nextId++
    this.send({ id, method, params })
    return id
  }

  /** The answer to a request. */
  async answer(id: number): Promise<Message> {
    const found = () => this.messages.find((m) => m.id === id && m.method === undefined)
    await until(() => this.program.isOver || found() !== undefined, `the answer to ${id}`, 15_000)
    const message = found()
    if (message === undefined) throw new Error(`no answer to ${id}:\n${this.program.err}`)
    return message
  }

  request(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return this.answer(this.ask(method, params))
  }

  call(name: string, args: Record<string, unknown> = {}): Promise<Message> {
    return this.request('tools/call', { name, arguments: args })
  }

  /** Initializes with the newest revision that has sessions. */
  async initialize(): Promise<Message> {
    const message = await this.request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bare', version: '1' },
    })
    this.send({ method: 'notifications/initialized' })
    return message
  }
}
