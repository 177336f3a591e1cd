/**
 * The yardstick: the fastest plain proxy that we know to write in Node, node:http in and undici out.
 * It reads no frame and asks nobody. `node bare-proxy.ts UPSTREAM_URL`
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'

const pool = new Pool(process.argv[2] ?? '', {
  connections: 64,
  pipelining: 1,
  keepAliveTimeout: 60_000,
  headersTimeout: 0,
  bodyTimeout: 0,
})

/** Headers of one connection, which a proxy does not pass on. */
const OWN = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'expect', 'host', 'content-length'],
])

function passedOn(raw: readonly string[]): string[] {
  const passed: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (!OWN.has(name.toLowerCase())) passed.push(name, raw[i + 1] as string)
  }
  return passed
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #missing = Number.NaN

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('the client went away'))
    })
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return
    const passed: string[] = []
    for (const name in headers) {
      if (OWN.has(name) && name !== 'content-length') continue
      const value = headers[name]
      if (Array.isArray(value)) for (const one of value) passed.push(name, one)
      else if (value !== undefined) passed.push(name, value)
    }
    this.#missing = Number(headers['content-length'])
    this.#response.writeHead(status, passed)
    if (Number.isNaN(this.#missing)) this.#response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#missing -= chunk.length
    // The last bytes and the end in one write: a second one costs a tenth of the whole request.
    if (this.#missing === 0) this.#response.end(chunk)
    else if (!this.#response.write(chunk)) {
      controller.pause()
      this.#response.once('drain', () => controller.resume())
    }
  }

  onResponseEnd(): void {
    if (!this.#response.writableEnded) this.#response.end()
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}

const proxy = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: request.method as Dispatcher.HttpMethod,
        headers: passedOn(request.rawHeaders),
        body: chunks.length > 1 ? Buffer.concat(chunks) : (chunks[0] ?? null),
      },
      new Answer(response),
    )
  })
})
proxy.keepAliveTimeout = 120_000
proxy.requestTimeout = 0
proxy.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const { port } = proxy.address() as AddressInfo
  process.stdout.write(`bare proxy listening on http://127.0.0.1:${port}\n`)
})
