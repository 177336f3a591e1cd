import { GatewayError } from '../core/errors.ts'
import { type JsonObject, member } from '../core/json/json.ts'
import type { RequestFrame } from '../core/mcp/frame-model.ts'
import { type ListMethod, readList } from '../core/mcp/list.ts'
import { META_KEYS } from '../core/mcp/revisions.ts'
import { beginning } from './cursors.ts'
import { type Collected, Collecting } from './forward.ts'
import type { Caller, Gate } from './gate.ts'
import { exchangeResuming } from './resume.ts'

const MAX_PAGES = 100
const ANSWER_TIMEOUT_MS = 10_000
/** What the ids of the gateway's own requests begin with. */
export const OWN_ID = 'sallyport-'
/** How often a server is asked again for a name that it did not list. */
const AGAIN_MS = 1_000
/** The same for a server that could not be asked: it may be back. */
const FAILED_AGAIN_MS = 200
/** How often a server that gave no list is asked for one. */
const RETRY_MS = 30_000

/**
 * Makes sure that the catalogue can tell whether `name` is advertised: asks for the list when none
 * was seen yet, and once more for a name that it does not hold (`isNeeded`).
 */
export function ensureListed(
  gate: Gate,
  caller: Caller,
  name: string,
  isNeeded: boolean,
): Promise<void> | undefined {
  const { catalogue, refresh } = caller.server
  const isKnown = catalogue.find(name) !== undefined
  if (isKnown && !refresh.isStale) return undefined
  const since = gate.elapsed() - refresh.at
  const isDue =
    refresh.failure !== undefined
      ? since >= (isNeeded ? FAILED_AGAIN_MS : RETRY_MS)
      : refresh.isStale ||
        (isNeeded ? since >= AGAIN_MS : !catalogue.isComplete && since >= RETRY_MS)
  if (refresh.running === undefined && !isDue) return undefined
  refresh.running ??= fetchList(gate, caller).finally(() => {
    refresh.running = undefined
    refresh.at = gate.elapsed()
  })
  return refresh.running
}

async function fetchList(gate: Gate, caller: Caller): Promise<void> {
  const { refresh } = caller.server
  for await (const { failure } of readThrough(gate, caller, 'tools/list')) {
    refresh.failure = failure
    // A change that could not be looked at is still to be looked at.
    if (failure === undefined) refresh.isStale = false
  }
}

/** Has the catalogue take in a whole list, page by page. False when the server did not answer. */
export async function fillIn(gate: Gate, caller: Caller, method: ListMethod): Promise<boolean> {
  for await (const { text } of readThrough(gate, caller, method))
    if (text === undefined) return false
  return true
}

async function* readThrough(
  gate: Gate,
  caller: Caller,
  method: ListMethod,
): AsyncGenerator<Collected> {
  const { reading } = beginning()
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await ask(gate, caller, method, cursor === undefined ? {} : { cursor })
    yield answer
    const list = answer.text === undefined ? undefined : readList(answer.text, method)
    if (list === undefined || list === 'none') return
    const isLast = list.nextCursor === undefined
    caller.server.catalogue.add(method, list.items, { reading, isFirst: page === 0, isLast })
    if (isLast) return
    cursor = list.nextCursor
  }
}

/** A request of the gateway's own, in the caller's era and session. */
export function ask(
  gate: Gate,
  caller: Caller,
  method: string,
  own: JsonObject,
): Promise<Collected> {
  const id = OWN_ID + gate.newId()
  const { envelope = {} } = caller
  // As the client would ask: what a server offers may depend on who its client is.
  const meta = {
    [META_KEYS.version]: caller.protocolVersion,
    [META_KEYS.client]: member(envelope, META_KEYS.client) ?? { name: 'sallyport', version: '1' },
    [META_KEYS.capabilities]: member(envelope, META_KEYS.capabilities) ?? {},
  }
  const params = {
    ...own,
    ...(caller.era === 'modern' ? { _meta: meta } : {}),
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
  const frame: RequestFrame = { kind: 'request', id, method, params, text }
  return new Promise((resolve) => {
    let limit: NodeJS.Timeout | undefined
    const request = {
      frame,
      bytes: Buffer.from(text),
      era: caller.era,
      protocolVersion: caller.protocolVersion,
      session: caller.session?.upstream,
      grantId: caller.grant.id,
      headers: ['accept', 'application/json, text/event-stream'],
    }
    const sink = new Collecting(id, (answer) => {
      clearTimeout(limit)
      resolve(answer)
    })
    const { upstream } = caller.server
    // Servers may hang up before they answer, and give the answer to who comes back.
    const exchange =
      caller.era === 'legacy'
        ? exchangeResuming(upstream, request, sink)
        : upstream.exchange(request, sink)
    limit = setTimeout(() => {
      exchange.cancel()
      resolve({ text: undefined, failure: new GatewayError('upstream_timeout') })
    }, ANSWER_TIMEOUT_MS)
  })
}
