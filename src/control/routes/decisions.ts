import { decisionOf, decisionQuery } from '../../core/contract/decision.ts'
import { parseDate } from '../../core/contract/rules.ts'
import { checked } from '../body.ts'
import { stored } from '../nouns.ts'
import type { Route } from '../route.ts'

const isoDate = (at: number): string => new Date(at).toISOString()

/** Decisions: newest first, page by page. */
export const decisions: readonly Route[] = [
  {
    verb: 'get',
    path: '/decisions',
    summary: 'List decisions, newest first',
    query: decisionQuery,
    answers: { 200: 'DecisionPage' },
    run: async ({ ports, query }) => {
      const asked = checked(decisionQuery, query, 'query_invalid')
      const limit = Number(asked.limit ?? '50')
      const { servers, grants } = ports.snapshot()
      const server = asked.server && (servers.get(asked.server)?.name ?? asked.server)
      const labelled = [...grants.values()].find((g) => g.label === asked.grant)
      const grant = labelled?.id ?? asked.grant
      const since = asked.since === undefined ? undefined : parseDate(asked.since)
      const found = await stored(() =>
        ports.records.list({
          // One more than is shown says whether there is a next page.
          limit: limit + 1,
          ...(asked.cursor === undefined ? {} : { before: asked.cursor }),
          ...(since === undefined ? {} : { since }),
          ...(server === undefined ? {} : { server }),
          ...(asked.tool === undefined ? {} : { tool: asked.tool }),
          ...(asked.effect === undefined ? {} : { effect: asked.effect }),
          ...(grant === undefined ? {} : { grant }),
        }),
      )
      const shown = found.slice(0, limit)
      const nextCursor = found.length > limit ? (shown.at(-1)?.id ?? null) : null
      return {
        status: 200,
        body: { items: shown.map((record) => decisionOf(record, isoDate)), nextCursor },
      }
    },
  },
]
