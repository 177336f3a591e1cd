import { GatewayError } from '../core/errors.ts'
import type { Frame } from '../core/mcp/frame-model.ts'
import { filterList } from '../core/mcp/list.ts'
import { META_KEYS } from '../core/mcp/revisions.ts'
import { type Collected, Collecting } from './forward.ts'
import type { Caller, Gate } from './gate.ts'

const MAX_PAGES = 100
const PAGE_TIMEOUT_MS = 10_000
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
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const { text, failure } = await ask(gate, caller, cursor)
    refresh.failure = failure
    // A change that could not be looked at is still to be looked at.
    if (failure === undefined) refresh.isStale = false
    const list = text === undefined ? undefined : filterList(text, 'tools/list', () => false)
    if (list?.page === undefined) return
    caller.server.catalogue.add(list.page, cursor === undefined)
    if (!list.page.hasMore) return
    cursor = cursorOf(list.text)
  }
}

const cursorOf = (text: string): string | undefined => {
  const { result } = JSON.parse(text) as { result: { nextCursor?: string } }
  return result.nextCursor
}

/** One page of the server's list, asked in the caller's era and session; undefined when it has none. */
function ask(gate: Gate, caller: Caller, cursor: string | undefined): Promise<Collected> {
  const id = `sallyport-${gate.newId()}`
  const meta = {
    [META_KEYS.version]: caller.protocolVersion,
    [META_KEYS.client]: { name: 'sallyport', version: '1' },
    [META_KEYS.capabilities]: {},
  }
  const params = {
    ...(cursor === undefined ? {} : { cursor }),
    ...(caller.era === 'modern' ? { _meta: meta } : {}),
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params })
  const frame: Frame = { kind: 'request', id, method: 'tools/list', params, text }
  return new Promise((resolve) => {
    let limit: NodeJS.Timeout | undefined
    const exchange = caller.server.upstream.exchange(
      {
        frame,
        bytes: Buffer.from(text),
        era: caller.era,
        protocolVersion: caller.protocolVersion,
        session: caller.session?.upstream,
        grantId: caller.grant.id,
        headers: ['accept', 'application/json, text/event-stream'],
      },
      new Collecting(id, (answer) => {
        clearTimeout(limit)
        resolve(answer)
      }),
    )
    limit = setTimeout(() => {
      exchange.cancel()
      resolve({ text: undefined, failure: new GatewayError('upstream_timeout') })
    }, PAGE_TIMEOUT_MS)
  })
}
