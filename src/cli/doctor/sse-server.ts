import { request } from 'undici'
import { EventStreamParser } from '../../gateway/upstream/event-stream.ts'
import { endpointOf } from '../../gateway/upstream/sse-channel.ts'
import type { UpstreamEvent } from '../../gateway/upstream/upstream.ts'
import { type Hello, helloOf, initialize } from './initialize.ts'

/** Says `initialize` over HTTP+SSE; undefined when the server does not speak that transport. */
export async function askSse(
  target: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  version: string,
  timeoutMs: number,
): Promise<Hello | 'error' | undefined> {
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)])
  try {
    const { statusCode, headers, body } = await request(target.url, {
      signal,
      headers: { ...target.headers, Accept: 'text/event-stream' },
    })
    body.on('error', () => {})
    const type = String(headers['content-type'] ?? '')
    if (statusCode !== 200 || !/^text\/event-stream\b/i.test(type)) return undefined
    let endpoint: URL | undefined
    for await (const event of eventsOf(body)) {
      if (endpoint === undefined) {
        if (event.event !== 'endpoint') return undefined
        endpoint = endpointOf(event.data, new URL(target.url))
        const posted = await request(endpoint, {
          method: 'POST',
          signal,
          headers: { ...target.headers, 'Content-Type': 'application/json' },
          body: initialize(version),
        })
        posted.body.dump().catch(() => {})
        if (posted.statusCode >= 300) return 'error'
        continue
      }
      const hello = helloOf(event.data)
      if (hello !== undefined) return hello
    }
    return endpoint === undefined ? undefined : 'error'
  } finally {
    ending.abort()
  }
}

async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<UpstreamEvent> {
  const events: UpstreamEvent[] = []
  const parser = new EventStreamParser((event) => events.push(event))
  for await (const bytes of body) {
    parser.push(bytes)
    yield* events.splice(0)
  }
}
