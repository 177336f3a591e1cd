import { GatewayError } from '../../core/errors.ts'
import type { UpstreamEvent } from './upstream.ts'

/** Bytes of one event; a server that sends more is broken. */
const MAX_EVENT = 32 << 20

/**
 * Takes the bytes of a `text/event-stream` and gives its events. Lines may end in CR, LF or CRLF;
 * comments are dropped, `id` and `retry` are kept, events of several data lines are joined.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  readonly #take: (event: UpstreamEvent) => void
  #rest = ''
  #data: string[] = []
  #size = 0
  #id: string | undefined
  #retry: string | undefined

  constructor(take: (event: UpstreamEvent) => void) {
    this.#take = take
  }

  /** @throws GatewayError `upstream_broken` on bytes that are no UTF-8 and on an endless event. */
  push(bytes: Uint8Array): void {
    this.#feed(this.#decode(bytes))
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true })
    } catch (cause) {
      throw new GatewayError('upstream_broken', 'its event stream is not UTF-8', { cause })
    }
  }

  #feed(text: string): void {
    this.#rest += text
    let from = 0
    for (;;) {
      const end = this.#lineEnd(from)
      if (end === undefined) break
      this.#line(this.#rest.slice(from, end.at))
      from = end.next
    }
    this.#rest = this.#rest.slice(from)
    if (this.#rest.length + this.#size > MAX_EVENT)
      throw new GatewayError('upstream_broken', 'an event of its stream is too large')
  }

  #lineEnd(from: number): { at: number; next: number } | undefined {
    const lf = this.#rest.indexOf('\n', from)
    const cr = this.#rest.indexOf('\r', from)
    if (cr === -1 || (lf !== -1 && lf < cr)) return lf === -1 ? undefined : { at: lf, next: lf + 1 }
    // A CR at the very end may be the first half of CRLF: wait for what follows.
    if (cr === this.#rest.length - 1) return undefined
    return { at: cr, next: lf === cr + 1 ? cr + 2 : cr + 1 }
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (field === 'data') {
      this.#data.push(value)
      this.#size += value.length
    } else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.#retry = value
  }

  #dispatch(): void {
    const [data, id, retry] = [this.#data, this.#id, this.#retry]
    this.#data = []
    this.#size = 0
    this.#id = undefined
    this.#retry = undefined
    if (data.length === 0 && id === undefined && retry === undefined) return
    this.#take({
      data: data.join('\n'),
      ...(id === undefined ? {} : { id }),
      ...(retry === undefined ? {} : { retry }),
    })
  }
}

/** An event as it goes to a downstream. */
export function eventText(event: UpstreamEvent): string {
  const lines: string[] = []
  if (event.id !== undefined) lines.push(`id: ${event.id}`)
  if (event.retry !== undefined) lines.push(`retry: ${event.retry}`)
  if (event.data !== '') lines.push('event: message')
  for (const line of event.data.split(/\r\n|\r|\n/)) lines.push(`data: ${line}`)
  return `${lines.join('\n')}\n\n`
}
