import { GatewayError } from '../../core/errors.ts'
import type { UpstreamEvent } from './upstream.ts'

/** Bytes of one event; a server that sends more is broken. */
const MAX_EVENT = 32 << 20
const LINE_END = /\r\n|\r|\n/g
/** Shared by all streams: one decoder for each would be most of what an idle stream costs. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NOTHING = new Uint8Array(0)

/** How many bytes at the end are the beginning of a character that is not all there yet. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needs > back ? back : 0
  }
  return 0
}

/**
 * Takes the bytes of a `text/event-stream` and gives its events. Lines may end in CR, LF or CRLF;
 * comments are dropped, `event`, `id` and `retry` are kept, events of several data lines are joined.
 */
export class EventStreamParser {
  readonly #take: (event: UpstreamEvent) => void
  #rest = ''
  #isBegun = false
  /** The first bytes of a character whose others are still to come. */
  #split: Uint8Array = NOTHING
  #isAfterCr = false
  #data: string[] = []
  #size = 0
  #id: string | undefined
  #retry: string | undefined
  #event: string | undefined

  constructor(take: (event: UpstreamEvent) => void) {
    this.#take = take
  }

  /** @throws GatewayError `upstream_broken` on bytes that are no UTF-8 and on an endless event. */
  push(bytes: Uint8Array): void {
    this.#feed(this.#decode(bytes))
  }

  #decode(bytes: Uint8Array): string {
    const all = this.#split.length === 0 ? bytes : Buffer.concat([this.#split, bytes])
    const end = all.length - unfinished(all)
    this.#split = end === all.length ? NOTHING : new Uint8Array(all.subarray(end))
    try {
      const text = utf8.decode(all.subarray(0, end))
      if (this.#isBegun || text === '') return text
      this.#isBegun = true
      return text.startsWith('\ufeff') ? text.slice(1) : text
    } catch (cause) {
      throw new GatewayError('upstream_broken', 'its event stream is not UTF-8', { cause })
    }
  }

  #feed(text: string): void {
    // A CR ends its line at once; an LF that follows it, now or later, belongs to it.
    let from = this.#isAfterCr && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#isAfterCr = text.endsWith('\r')
    LINE_END.lastIndex = from
    for (let end = LINE_END.exec(text); end !== null; end = LINE_END.exec(text)) {
      const line = this.#rest + text.slice(from, end.index)
      this.#rest = ''
      from = LINE_END.lastIndex
      this.#line(line)
      LINE_END.lastIndex = from
    }
    this.#rest += text.slice(from)
    if (this.#rest.length + this.#size > MAX_EVENT)
      throw new GatewayError('upstream_broken', 'an event of its stream is too large')
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
    else if (field === 'event') this.#event = value
  }

  #dispatch(): void {
    const [data, id, retry, event] = [this.#data, this.#id, this.#retry, this.#event]
    this.#data = []
    this.#size = 0
    this.#id = undefined
    this.#retry = undefined
    this.#event = undefined
    if (data.length === 0 && id === undefined && retry === undefined) return
    this.#take({
      data: data.join('\n'),
      ...(id === undefined ? {} : { id }),
      ...(retry === undefined ? {} : { retry }),
      ...(event === undefined || event === '' || event === 'message' ? {} : { event }),
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
