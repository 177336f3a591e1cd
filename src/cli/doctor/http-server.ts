import { type Dispatcher, request } from 'undici'
import { GatewayError } from '../../core/errors.ts'
import type { HttpTransport } from '../../core/snapshot.ts'
import { type Finding, finder } from './finding.ts'
import { discover, type Hello, helloOf, initialize } from './initialize.ts'
import { askSse } from './sse-server.ts'

const timeoutMs = 10_000
const largestAnswer = 1 << 20

/** A server that is reached over HTTP. */
export interface HttpTarget {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly transport: HttpTransport
}

/** Does the server answer, and is it MCP? The second value is what its clock said. */
export async function checkHttp(
  target: HttpTarget,
  version: string,
): Promise<{ finding: Finding; date: number | undefined }> {
  const { ok, warn, fail } = finder(`server ${target.name}`)
  const host = URL.parse(target.url)?.host ?? 'the server'
  try {
    if (target.transport === 'sse') {
      const hello = await askSse(target, version, timeoutMs)
      const finding =
        hello === undefined ? noSse(host, fail) : sseFinding(hello, host, { ok, warn })
      return { finding, date: undefined }
    }
    const first = await ask(target, initialize(version), {})
    if (target.transport === 'auto' && mayBeSse(first)) {
      const hello = await askSse(target, version, timeoutMs).catch(orNothing)
      if (hello !== undefined)
        return { finding: sseFinding(hello, host, { ok, warn }), date: first.date }
    }
    const answer =
      first.hello === undefined || first.hello === 'error'
        ? await newer(target, version, first)
        : first
    const { hello, status, date } = answer
    if (hello !== undefined && hello !== 'error')
      return { finding: ok(`${hello.name} answers (MCP ${hello.protocol}, Streamable HTTP)`), date }
    return { finding: statusFinding(status, hello, host, { ok, warn, fail }), date }
  } catch (error) {
    return { finding: networkFinding(error, host, { ok, warn, fail }), date: undefined }
  }
}

interface Asked {
  readonly status: number
  readonly date: number | undefined
  readonly hello: Hello | 'error' | undefined
}
type Make = ReturnType<typeof finder>

async function ask(
  target: HttpTarget,
  body: string,
  more: Readonly<Record<string, string>>,
): Promise<Asked> {
  const response = await request(target.url, {
    method: 'POST',
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      ...target.headers,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...more,
    },
    body,
  })
  const date = Date.parse(single(response.headers.date))
  const text = await messageOf(response)
  const session = single(response.headers['mcp-session-id'])
  if (session !== '') await endSession(target, session)
  return {
    status: response.statusCode,
    date: Number.isNaN(date) ? undefined : date,
    hello: helloOf(text),
  }
}

/** An answer that is none in JSON-RPC: the server may speak the older transport. */
const mayBeSse = ({ status, hello }: Asked): boolean =>
  hello === undefined &&
  (status === 200 || (status >= 400 && status < 500 && ![401, 403, 429].includes(status)))

/** What the server refused at first is what is told of it, unless it speaks, but not safely. */
function orNothing(error: unknown): undefined {
  if (error instanceof GatewayError) throw error
}

function sseFinding(hello: Hello | 'error', host: string, { ok, warn }: Pick<Make, 'ok' | 'warn'>) {
  return hello === 'error'
    ? warn(`${host} speaks HTTP+SSE but refuses to begin`, 'check that it serves MCP')
    : ok(`${hello.name} answers (MCP ${hello.protocol}, HTTP+SSE)`)
}

const noSse = (host: string, fail: Make['fail']): Finding =>
  fail(
    `${host} names no endpoint for HTTP+SSE`,
    'check the path of `url` (often it is /sse), or set `transport: auto`',
  )

const single = (header: string | string[] | undefined): string =>
  typeof header === 'string' ? header : (header?.[0] ?? '')

/** Servers of the stateless era know no `initialize`. */
async function newer(target: HttpTarget, version: string, first: Asked): Promise<Asked> {
  if (![200, 400, 404].includes(first.status)) return first
  const second = await ask(target, discover(version), {
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': 'server/discover',
  })
  return second.hello === undefined ? first : second
}

/** The first message of a JSON body or of an event stream. */
async function messageOf(response: Dispatcher.ResponseData): Promise<string> {
  const isStream = /^text\/event-stream\b/i.test(single(response.headers['content-type']))
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    const data = isStream ? firstData(text) : undefined
    if (data !== undefined || text.length > largestAnswer) return data ?? ''
  }
  return text
}

/** The first event's data that is not empty, once the event is whole. */
function firstData(text: string): string | undefined {
  for (const event of text.replaceAll('\r\n', '\n').split('\n\n').slice(0, -1)) {
    const lines = event.split('\n').filter((line) => line.startsWith('data:'))
    const data = lines.map((line) => line.slice(5).trimStart()).join('\n')
    if (data !== '') return data
  }
  return undefined
}

async function endSession(target: HttpTarget, session: string): Promise<void> {
  const end = request(target.url, {
    method: 'DELETE',
    signal: AbortSignal.timeout(2000),
    headers: { ...target.headers, 'Mcp-Session-Id': session },
  })
  await end.then(({ body }) => body.dump()).catch(() => undefined)
}

function statusFinding(
  status: number,
  hello: 'error' | undefined,
  host: string,
  { warn, fail }: Make,
): Finding {
  if (status === 401 || status === 403)
    return fail(
      `${host} refuses the credential (${status})`,
      'check `headers` of this server, and the variables in it',
    )
  if (status >= 300 && status < 400)
    return fail(`${host} sends elsewhere (${status})`, 'put the address it sends to into `url`')
  if (status === 404)
    return fail(
      `${host} has nothing at this path (404)`,
      'check the path of `url`; often it is /mcp',
    )
  if (status === 405) return fail(`${host} takes no POST here (405)`, 'check the path of `url`')
  if (status === 429 || status >= 500)
    return warn(
      `${host} answers with status ${status}`,
      'try again; if it stays, the server is broken',
    )
  if (hello === 'error')
    return warn(
      `${host} speaks JSON-RPC but refuses to begin`,
      'check that it serves MCP 2025-03-26 or later',
    )
  return fail(`${host} answers with something that is not MCP (${status})`, 'check `url`')
}

const certificate = /^(?:CERT_|ERR_TLS|ERR_SSL|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

function networkFinding(error: unknown, host: string, { fail }: Make): Finding {
  if (error instanceof Error && error.name === 'TimeoutError')
    return fail(
      `${host} does not answer within ${timeoutMs / 1000} s`,
      'check that it runs, and any firewall',
    )
  if (error instanceof GatewayError)
    return fail(`${host}: ${error.message}`, 'do not use this server, or ask who runs it')
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail(`no such host: ${host} (${code})`, 'check the host in `url`, and DNS')
  if (code === 'ECONNREFUSED')
    return fail(`${host} refuses connections`, 'start the server, or check the port in `url`')
  if (certificate.test(code) || code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return fail(
      `TLS with ${host} fails (${code})`,
      'check the certificate; NODE_EXTRA_CA_CERTS adds a CA',
    )
  return fail(
    `${host} can not be reached (${code || 'unknown error'})`,
    'check `url` and the network',
  )
}
