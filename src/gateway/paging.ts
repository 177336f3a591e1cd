import type { GatewayError } from '../core/errors.ts'
import { applyEdits, type Edit, replacing } from '../core/json/edit.ts'
import { type JsonObject, member } from '../core/json/json.ts'
import { nodeOf, parseNodes } from '../core/json/parse.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { itemName, type ListMethod, type ListPage, readList } from '../core/mcp/list.ts'
import { beginning, openPlace, type Place, sealPlace } from './cursors.ts'
import type { Caller, Gate } from './gate.ts'
import { type Awaiting, PageReply } from './page-reply.ts'
import { OWN_ID } from './refresh.ts'
import type { Head, ReplySink, UpstreamEvent } from './upstream/upstream.ts'

/** Pages that the gateway asks for on its own before it gives an empty one away. */
const MAX_PAGES = 100
/** How long it goes on asking. */
const MAX_MS = 10_000
/** How long a client may keep a list without asking again: an edit of its policy must reach it. */
const MAX_TTL_MS = 60_000

/** One reading of a list by one caller. */
export interface Reading {
  readonly gate: Gate
  readonly caller: Caller
  readonly method: ListMethod
  /** As the client sent it; the answer carries its id. */
  readonly frame: RequestFrame
  readonly place: Place
  isHidden(item: JsonObject): boolean
}

/** Where a list request begins; undefined when its cursor was not given to this caller for this list. */
export function placeOf(
  gate: Gate,
  caller: Caller,
  method: ListMethod,
  { params }: RequestFrame,
): Place | undefined {
  const cursor = member(params, 'cursor')
  if (cursor === undefined) return beginning()
  return typeof cursor === 'string' ? openPlace(gate, caller, method, cursor) : undefined
}

/** The request for another page: the client's own but for the cursor (and the id, where one is given). */
export function requestAt(frame: RequestFrame, cursor: string, id = frame.id): RequestFrame {
  const root = parseNodes(frame.text)
  const [params, own] = [nodeOf(root, 'params'), nodeOf(root, 'id')]
  const text = JSON.stringify(cursor)
  const before = nodeOf(params, 'cursor')
  const edits: Edit[] =
    before !== undefined
      ? [replacing(before, text)]
      : params?.kind === 'object'
        ? [{ start: params.start + 1, end: params.start + 1, text: firstMember(params, text) }]
        : [{ start: root.end - 1, end: root.end - 1, text: `,"params":{"cursor":${text}}` }]
  if (own !== undefined && id !== frame.id) edits.push(replacing(own, JSON.stringify(id)))
  return {
    ...frame,
    id,
    params: { ...frame.params, cursor },
    text: applyEdits(frame.text, edits),
  }
}

const firstMember = ({ members }: { members: readonly unknown[] }, cursor: string): string =>
  `"cursor":${cursor}${members.length === 0 ? '' : ','}`

/** How long a result that this caller's policy has shaped may be kept; undefined before there was caching. */
export function maxTtlMs(gate: Gate, { era, grant }: Caller): number | undefined {
  if (era === 'legacy') return undefined
  const left = (grant.expiresAt ?? Number.POSITIVE_INFINITY) - gate.clock.now()
  return Math.max(0, Math.min(MAX_TTL_MS, Math.floor(left)))
}

/** A page as it goes to the caller, and whether it shows anything. */
export interface Shown {
  readonly text: string
  readonly count: number
}

/** Takes a page into the catalogue and makes it the caller's: filtered, private, with a cursor of its own. */
export function showPage(reading: Reading, page: ListPage, place: Place): Shown {
  const { gate, caller, method, frame } = reading
  const { nextCursor } = page
  caller.server.catalogue.add(method, page.items, {
    reading: place.reading,
    isFirst: place.cursor === undefined,
    isLast: nextCursor === undefined,
  })
  const seen = new Set<string>()
  const { text, shown } = page.rewrite({
    isHidden: (item) => {
      const name = itemName(method, item) ?? ''
      // Two things of one name: nobody could say which of them a call reaches.
      if (seen.has(name) || reading.isHidden(item)) return true
      seen.add(name)
      return false
    },
    // Without a policy there is nothing to show on any page.
    cursor:
      nextCursor === undefined || caller.grant.policy === undefined
        ? undefined
        : sealPlace(gate, caller, method, { ...place, cursor: nextCursor }),
    maxTtlMs: maxTtlMs(gate, caller),
    id: frame.id,
  })
  return { text, count: shown }
}

/** What a paging does at the server and for itself. */
export interface PagingMeans {
  /** Sends a request for a page. */
  ask(frame: RequestFrame, sink: ReplySink): void
  /** Waits no longer for the page that was asked for. */
  abandon(): void
  /** The answer when the server's is no list that has one reading. */
  broken(): string
}

/**
 * Answers a list request with the first page that shows the caller anything. A page of which nothing is
 * left would end the list early for many clients, so the gateway asks for the next one itself.
 */
export class Paging implements Awaiting {
  readonly #reading: Reading
  readonly #inner: ReplySink
  readonly #means: PagingMeans
  readonly #endsAt: number
  #place: Place
  #pages = 0
  /** The empty page to give away if no better one comes. */
  #empty: { readonly text: string; readonly head: Head } | undefined
  #isNextDue = false
  #isStream = false
  #isAnswered = false
  #isOver = false
  #page: PageReply | undefined
  #limit: NodeJS.Timeout | undefined

  constructor(reading: Reading, inner: ReplySink, means: PagingMeans) {
    this.#reading = reading
    this.#inner = inner
    this.#means = means
    this.#place = reading.place
    this.#endsAt = reading.gate.elapsed() + MAX_MS
  }

  /** Asks for the first page. */
  start(): void {
    const { frame, place } = this.#reading
    this.#ask(place.cursor === undefined ? frame : requestAt(frame, place.cursor))
  }

  /** The caller has gone. */
  stop(): void {
    this.#isOver = true
    clearTimeout(this.#limit)
    this.#page?.drop()
  }

  #ask(frame: RequestFrame): void {
    this.#pages++
    this.#page = new PageReply(frame.id, this)
    this.#means.ask(frame, this.#page)
  }

  event(event: UpstreamEvent, head: Head): boolean {
    const isFirst = this.#pages === 1
    if (!isFirst && event.data === '') return true
    this.#open(head)
    // Ids of events belong to the one stream that the client knows.
    return this.#inner.event(isFirst ? event : { data: event.data })
  }

  #open(head: Head): void {
    if (this.#isStream) return
    this.#isStream = true
    this.#inner.head({ ...head, kind: 'events', length: undefined })
  }

  answered(text: string, head: Head, event: UpstreamEvent | undefined): void {
    const page = readList(text, this.#reading.method)
    if (page === undefined) this.#give(this.#means.broken(), head, event)
    else if (page === 'none')
      this.#give(this.#empty?.text ?? text, this.#empty?.head ?? head, event)
    else this.#take(page, head, event)
  }

  #take(page: ListPage, head: Head, event: UpstreamEvent | undefined): void {
    const { caller } = this.#reading
    const shown = showPage(this.#reading, page, this.#place)
    const isLast = page.nextCursor === undefined || caller.grant.policy === undefined
    // A server that sends its readers in circles keeps the gateway out of them.
    const isCircle = page.nextCursor === this.#place.cursor
    if (shown.count > 0 || isLast || isCircle || !this.#mayAskMore()) {
      this.#give(shown.text, head, event)
      return
    }
    this.#place = { ...this.#place, cursor: page.nextCursor }
    this.#empty = { text: shown.text, head }
    this.#isNextDue = true
  }

  #mayAskMore(): boolean {
    return this.#pages < MAX_PAGES && this.#reading.gate.elapsed() < this.#endsAt
  }

  #give(text: string, head: Head, event: UpstreamEvent | undefined): void {
    this.#isAnswered = true
    clearTimeout(this.#limit)
    if (this.#isStream || head.kind === 'events') {
      this.#open(head)
      this.#inner.event(
        event === undefined || this.#pages > 1 ? { data: text } : { ...event, data: text },
      )
      return
    }
    const bytes = Buffer.from(text, 'utf8')
    this.#inner.head({ ...head, length: bytes.length })
    this.#inner.chunk(bytes)
  }

  ended(head: Head | undefined): void {
    if (this.#isOver) return
    if (this.#isNextDue) {
      this.#goOn()
      return
    }
    if (!this.#isAnswered && !this.#giveEmpty() && head !== undefined)
      if (head.kind === 'empty') this.#inner.head(head)
      else this.#open(head)
    this.#finish()
  }

  #goOn(): void {
    this.#isNextDue = false
    this.#limit ??= setTimeout(() => this.#giveUp(), MAX_MS).unref()
    const { frame, gate } = this.#reading
    this.#ask(requestAt(frame, this.#place.cursor ?? '', OWN_ID + gate.newId()))
  }

  /** The server takes too long over a page that only the gateway asked for. */
  #giveUp(): void {
    this.#page?.drop()
    this.#means.abandon()
    this.#giveEmpty()
    this.#finish()
  }

  /** True where there was an empty page to give: the client goes on from its cursor. */
  #giveEmpty(): boolean {
    if (this.#empty === undefined || this.#isAnswered) return false
    this.#give(this.#empty.text, this.#empty.head, undefined)
    return true
  }

  #finish(): void {
    this.#isOver = true
    clearTimeout(this.#limit)
    this.#inner.end()
  }

  failed(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    if (this.#giveEmpty()) {
      this.#finish()
      return
    }
    this.#isOver = true
    clearTimeout(this.#limit)
    this.#inner.fail(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.#inner.onDrain(resume)
  }
}
