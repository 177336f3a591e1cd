import { GatewayError } from '../../../core/errors.ts'
import { isObject, type JsonObject, member } from '../../../core/json/json.ts'
import type { RequestFrame } from '../../../core/mcp/frame-model.ts'
import { parseJson } from '../../../core/mcp/parse-json.ts'
import type { ClientReply } from '../../upstream/client-reply.ts'
import type { Upstream, UpstreamExchange } from '../../upstream/upstream.ts'
import { type InputRound, readRound } from './asking.ts'
import { type Answer, decoded, Leg } from './leg.ts'
import { type Around, aroundModern, freshId } from './own-questions.ts'
import {
  type Asked,
  CAPABILITY_MISSING,
  HEADER_MISMATCH,
  plainAnswer,
  plainError,
  VERSION_REFUSED,
} from './plain-answer.ts'
import { askRound, MAX_ROUNDS, type Waiting } from './rounds.ts'
import { continued } from './stamp.ts'
import type { ToolTable } from './tool-table.ts'

/** What a call of a session needs of it and of the bridge. */
export interface CallMeans {
  readonly inner: Upstream
  readonly tools: ToolTable
  /** Reads the server's list of tools (again), so that the table knows them. */
  readonly learnTools: (isUrgent: boolean) => Promise<void>
  readonly waiting: Waiting
  /** What the client has declared. */
  readonly capabilities: JsonObject
  /** The server does not speak as it said it would. */
  readonly onVersionRefused: () => void
  /** The call has ended, one way or another. */
  readonly onOver: () => void
}

/** How long a call may go on for a client that is not connected any more. */
const LEFT_MS = 600_000

/** Requests that a server may answer with a question. */
const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** One request of a session on its way through a stateless server, in as many rounds as it takes. */
export class BridgedCall {
  readonly #means: CallMeans
  readonly #around: Around
  readonly #reply: ClientReply
  readonly #asked: Asked
  /** The first round, stamped. */
  readonly #frame: RequestFrame
  #exchange: UpstreamExchange | undefined
  #round: { stop(): void } | undefined
  #rounds = 0
  #progress = Number.NEGATIVE_INFINITY
  #hasRelearned = false
  #isOver = false
  #left: NodeJS.Timeout | undefined

  constructor(means: CallMeans, around: Around, frame: RequestFrame, reply: ClientReply) {
    this.#means = means
    this.#around = around
    this.#frame = frame
    this.#reply = reply
    const name = frame.method === 'tools/call' ? member(frame.params, 'name') : undefined
    this.#asked = {
      method: frame.method,
      tool: typeof name === 'string' ? name : undefined,
      idText: JSON.stringify(frame.id),
    }
  }

  /** Sends the first round; a tool that nobody knows is looked up before. */
  start(): void {
    const { tool } = this.#asked
    if (tool === undefined || this.#means.tools.isReady(tool)) this.#send(this.#frame)
    else
      void this.#means.learnTools(false).then(() => {
        if (!this.#isOver) this.#send(this.#frame)
      })
  }

  /** The client wants no answer any more: the server is told, and nothing more is executed. */
  abort(): void {
    if (this.#isOver) return
    this.#end()
    this.#exchange?.cancel()
    this.#reply.end()
  }

  /** The gateway or the session is at its end. */
  fail(error: GatewayError): void {
    if (this.#isOver) return
    this.#end()
    this.#exchange?.cancel()
    this.#reply.fail(error, true)
  }

  /** The connection of the client has gone, which is no cancellation in its era. */
  leave(): void {
    if (this.#isOver) return
    this.#reply.leave()
    this.#left ??= setTimeout(() => this.abort(), LEFT_MS)
    if (this.#round !== undefined && !this.#reply.isHeard) this.abort()
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#left)
    this.#round?.stop()
    this.#means.onOver()
  }

  #send(frame: RequestFrame): void {
    const { tool } = this.#asked
    const { inner, tools } = this.#means
    const mirrored =
      tool === undefined ? [] : tools.headersOf(tool, member(frame.params, 'arguments'))
    this.#exchange = inner.exchange(
      { ...aroundModern(this.#around, mirrored), frame, bytes: Buffer.from(frame.text, 'utf8') },
      new Leg(frame.id, {
        said: (text, message) => this.#said(text, message),
        answered: (answer) => this.#answered(answer, frame),
        failed: (error, wasSent) => this.#failed(error, wasSent || this.#rounds > 0),
        onDrain: (resume) => this.#reply.onDrain(resume),
      }),
    )
  }

  #said(text: string, message: JsonObject): boolean {
    if (this.#isOver) return true
    if (member(message, 'method') === 'notifications/progress') {
      // Every round counts from its own beginning; to the client it is one call.
      const params = member(message, 'params')
      const progress = isObject(params) ? member(params, 'progress') : undefined
      if (typeof progress === 'number') {
        if (progress <= this.#progress && this.#rounds > 0) return true
        this.#progress = Math.max(progress, this.#progress)
      }
    }
    return this.#reply.event(text)
  }

  #answered(answer: Answer, frame: RequestFrame): void {
    if (this.#isOver) return
    const { message } = answer
    const error = member(message, 'error')
    const result = member(message, 'result')
    if (error !== undefined) this.#refused(decoded(answer), frame)
    else if (!isObject(result)) this.#failed(broken('its answer holds no result'), true)
    else {
      const type = member(result, 'resultType') ?? 'complete'
      if (type === 'complete') this.#complete(answer)
      else if (type === 'input_required' && MAY_ASK.has(this.#asked.method))
        this.#ask(decoded(answer))
      else this.#failed(broken('its result is of a type that was not declared'), true)
    }
  }

  #complete(answer: Answer): void {
    const { tools } = this.#means
    // Of a list the names are read, so it must be decoded.
    if (!answer.isBytes || this.#asked.method === 'tools/list') {
      this.#finish(plainAnswer(decoded(answer), this.#asked, tools))
      return
    }
    const idText = Buffer.from(this.#asked.idText, 'utf8').toString('latin1')
    this.#finish(plainAnswer(answer.text, { ...this.#asked, idText }, tools), true)
  }

  #refused(text: string, frame: RequestFrame): void {
    const message = parseJson(text)
    const error = isObject(message) ? member(message, 'error') : undefined
    if (!isObject(error)) {
      this.#failed(broken('its error is none'), true)
      return
    }
    const code = member(error, 'code')
    if (code === VERSION_REFUSED) this.#means.onVersionRefused()
    // Refused for its headers, the call was not executed: its definition has changed.
    if (code === HEADER_MISMATCH && this.#asked.tool !== undefined && !this.#hasRelearned) {
      this.#hasRelearned = true
      void this.#means.learnTools(true).then(() => {
        if (!this.#isOver) this.#send(frame)
      })
      return
    }
    const plain = plainError(error)
    if (plain === undefined) this.#finish(plainAnswer(text, this.#asked, this.#means.tools))
    else if (code === CAPABILITY_MISSING) this.#giveUp(plain.message)
    else this.#finish(this.#errorText(plain.code, plain.message))
  }

  #ask(text: string): void {
    this.#rounds++
    if (this.#rounds > MAX_ROUNDS) {
      this.#giveUp(`the server asked for more input after ${MAX_ROUNDS} rounds`)
      return
    }
    const round = readRound(text, this.#means.capabilities)
    if (!('reason' in round)) this.#askAll(round)
    else if (round.isBug) this.#failed(broken(`it asks for input, but ${round.reason}`), true)
    else this.#giveUp(`the server needs input to go on: ${round.reason}`)
  }

  #askAll(round: InputRound): void {
    this.#round = askRound(round, this.#means.waiting, {
      tell: (asking) => {
        if (!this.#reply.isHeard) return false
        this.#reply.event(asking)
        return true
      },
      done: (responses) => {
        this.#round = undefined
        this.#send(continued(this.#frame, freshId(), { responses, state: round.state }))
      },
      failed: (reason) => this.#giveUp(`the server needs input to go on, but ${reason}`),
    })
  }

  /** The call can't go on: for a tool that is a result which the model can read. */
  #giveUp(reason: string): void {
    if (this.#asked.method !== 'tools/call') {
      this.#finish(this.#errorText(-32603, reason))
      return
    }
    const content = [{ type: 'text', text: reason }]
    this.#finish(
      `{"jsonrpc":"2.0","id":${this.#asked.idText},"result":${JSON.stringify({ content, isError: true })}}`,
    )
  }

  #errorText(code: number, message: string): string {
    return `{"jsonrpc":"2.0","id":${this.#asked.idText},"error":${JSON.stringify({ code, message })}}`
  }

  #finish(text: string, isBytes = false): void {
    if (this.#isOver) return
    this.#end()
    if (!isBytes) this.#reply.answer({ text })
    else
      this.#reply.answer({
        get text() {
          return decoded({ text, isBytes })
        },
        get bytes() {
          return Buffer.from(text, 'latin1')
        },
      })
  }

  #failed(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#end()
    this.#reply.fail(error, wasSent)
  }
}

const broken = (detail: string): GatewayError => new GatewayError('upstream_broken', detail)
