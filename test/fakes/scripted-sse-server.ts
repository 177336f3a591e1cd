import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { SCRIPTED } from './stdio-upstream.ts'

/** How an event stream begins, and what happens to a message; a test may replace both. */
export interface SseScript {
  /** Writes the first events; the usual one is the endpoint. */
  begin?(response: ServerResponse, endpoint: string): void
  /** Handles a message before the server sees it; true when it has answered. */
  take?(text: string, response: ServerResponse, stream: ServerResponse): boolean
}

/** What a running server was asked. */
export interface SseServer {
  readonly url: string
  readonly origin: string
  /** Streams that are open. */
  streams(): number
  /** Every request so far: method, path without its query, headers. */
  readonly requests: readonly Pick<IncomingMessage, 'method' | 'url' | 'headers'>[]
  close(): Promise<void>
}

/** The scripted server over HTTP+SSE (2024-11-05): a process behind every stream. */
export async function openScriptedSseServer(script: SseScript = {}): Promise<SseServer> {
  const sessions = new Map<string, { child: ChildProcess; stream: ServerResponse }>()
  const requests: IncomingMessage[] = []

  const open = (response: ServerResponse): void => {
    const id = randomUUID()
    const child = spawn(process.execPath, [SCRIPTED], { stdio: ['pipe', 'pipe', 'ignore'] })
    sessions.set(id, { child, stream: response })
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    if (script.begin === undefined) response.write(`event: endpoint\ndata: /send?in=${id}\n\n`)
    else script.begin(response, `/send?in=${id}`)
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => {
      // As servers do: it stops reading while the client does.
      if (response.write(`event: message\ndata: ${line}\n\n`)) return
      lines.pause()
      response.once('drain', () => lines.resume())
    })
    child.once('exit', () => response.destroy())
    response.once('close', () => {
      sessions.delete(id)
      child.kill('SIGKILL')
    })
  }

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = sessions.get(
      new URL(request.url ?? '', 'http://x').searchParams.get('in') ?? '',
    )
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if (session === undefined) return void response.writeHead(404).end()
    if (script.take?.(text, response, session.stream) === true) return
    session.child.stdin?.write(`${text}\n`)
    response.writeHead(202).end('Accepted')
  }

  const server: Server = createServer((request, response) => {
    requests.push(request)
    const isStream = request.url === '/sse'
    if (isStream && request.method === 'GET') open(response)
    else if (isStream) response.writeHead(405).end('Method Not Allowed')
    else if (request.method === 'POST' && request.url?.startsWith('/send') === true)
      take(request, response).catch(() => response.destroy())
    else response.writeHead(404).end('Not Found')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/sse`,
    requests,
    streams: () => sessions.size,
    async close() {
      for (const { child } of sessions.values()) child.kill('SIGKILL')
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
