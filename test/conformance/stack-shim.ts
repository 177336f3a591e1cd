import { createServer, request as open, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { joinName, joinUri } from '../../src/core/stack/names.ts'
import { fromHeader, toHeader } from '../../src/gateway/mirror.ts'

interface Message {
  readonly method?: string
  readonly params?: Record<string, unknown>
}

/**
 * Gives what is asked the names that it has in a stack, and takes them off what is answered, so that
 * the suite, which knows the names of one server, can ask a stack that the server is in.
 */
export async function startStackShim(
  target: string,
  member: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const { hostname, port, pathname, host } = new URL(target)
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const named = nameBody(Buffer.concat(chunks), member)
    const headers: Record<string, string | string[] | undefined> = { ...request.headers }
    // Only what names the shim is changed: the suite also asks with hosts that must be refused.
    if (/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) headers.host = host
    const name = headers['mcp-name']
    if (typeof name === 'string' && named.join !== undefined)
      headers['mcp-name'] = toHeader(named.join(fromHeader(name) ?? name))
    delete headers['transfer-encoding']
    headers['content-length'] = String(named.body.length)
    const up = open({ host: hostname, port, path: pathname, method: request.method, headers })
    up.once('response', (answer) => {
      const { 'content-length': _, ...rest } = answer.headers
      response.writeHead(answer.statusCode ?? 502, rest)
      response.flushHeaders()
      const isStream = rest['content-type']?.includes('event-stream') === true
      relay(answer, response, { member, isStream })
    })
    up.once('error', () => response.destroy())
    response.once('close', () => up.destroy())
    up.end(named.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://${addressOf(server)}${pathname}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`

/** The body with the stack's names, and how what it is about is named there. */
function nameBody(
  body: Buffer,
  member: string,
): { body: Buffer; join: ((own: string) => string) | undefined } {
  let message: Message
  try {
    message = JSON.parse(body.toString('utf8')) as Message
  } catch {
    return { body, join: undefined }
  }
  const { method = '', params } = message
  const name = (own: string): string => joinName(member, own)
  const uri = (own: string): string => joinUri(member, own)
  if (params === undefined) return { body, join: undefined }
  if (/^(tools\/call|prompts\/get)$/.test(method)) rename(params, 'name', name)
  if (/^resources\/(read|subscribe|unsubscribe)$/.test(method)) rename(params, 'uri', uri)
  if (method.startsWith('tasks/')) rename(params, 'taskId', name)
  rename(params.ref, 'name', name)
  rename(params.ref, 'uri', uri)
  rename(params.notifications, 'resourceSubscriptions', uri)
  rename(params.notifications, 'taskIds', name)
  const join = method.startsWith('resources/') ? uri : name
  return { body: Buffer.from(JSON.stringify(message)), join }
}

function rename(object: unknown, key: string, join: (own: string) => string): void {
  if (typeof object !== 'object' || object === null) return
  const holder = object as Record<string, unknown>
  const value = holder[key]
  if (typeof value === 'string') holder[key] = join(value)
  else if (Array.isArray(value)) holder[key] = value.map((one) => join(String(one)))
}

/** Passes an answer on without the stack's names: a stream event by event, a body whole. */
function relay(
  answer: NodeJS.ReadableStream,
  response: ServerResponse,
  { member, isStream }: { member: string; isStream: boolean },
): void {
  const signs = [joinName(member, ''), joinUri(member, '')]
  const own = (text: string): string =>
    signs.reduce((out, sign) => out.replaceAll(`"${sign}`, '"').replaceAll(`: ${sign}`, ': '), text)
  let held = ''
  answer.setEncoding('utf8')
  answer.on('data', (text: string) => {
    held += text
    const end = isStream ? held.lastIndexOf('\n\n') + 2 : 0
    if (end < 2) return
    response.write(own(held.slice(0, end)))
    held = held.slice(end)
  })
  answer.once('end', () => response.end(own(held)))
  answer.once('error', () => response.destroy())
}
