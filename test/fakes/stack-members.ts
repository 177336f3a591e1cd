import { GatewayError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/json/json.ts'
import type { ReplySink, UpstreamRequest } from '../../src/gateway/upstream/upstream.ts'
import { type AnsweringUpstream, answeringUpstream } from './answering-upstream.ts'

/** The params of what a server got. */
export const paramsOf = ({ frame }: UpstreamRequest): JsonObject =>
  frame.kind === 'response' ? {} : frame.params

/** A server with pages of tools; cursors are the numbers of pages. */
export const paged = (...pages: readonly (readonly string[])[]): AnsweringUpstream =>
  answeringUpstream((request) => {
    const page = Number(paramsOf(request).cursor ?? 0)
    const tools = (pages[page] ?? []).map((name) => ({ name, inputSchema: { type: 'object' } }))
    const more = page + 1 < pages.length ? { nextCursor: String(page + 1) } : {}
    return {
      result: { resultType: 'complete', tools, ttlMs: 5_000, cacheScope: 'public', ...more },
    }
  })
/** A server that can't be asked. */
export const failing = (code: 'upstream_unreachable' | 'upstream_lost' = 'upstream_unreachable') =>
  answeringUpstream(() => new GatewayError(code))
/** A server that says nothing. */
export const silent = () => answeringUpstream((_, __) => undefined)
/** A server that has no method at all. */
export const noSuchMethod = () =>
  answeringUpstream(() => ({ error: { code: -32601, message: 'no' } }))

/** Begins an answer that never comes. */
export function hang(sink: ReplySink): undefined {
  sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
}
