import { GatewayError } from '../../core/errors.ts'
import { member as memberOfObject } from '../../core/json/json.ts'
import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import type { ListMethod } from '../../core/mcp/list.ts'
import { type MemberPage, pageOf, pageReply } from '../../core/stack/lists.ts'
import { withParam } from '../../core/stack/route.ts'
import type { UpstreamRequest } from '../upstream/upstream.ts'
import { type Asking, type AskMeans, askAll, type MemberReply } from './ask.ts'
import { type Cursors, openCursors, sealCursors } from './cursor.ts'
import type { Member, StackView } from './member.ts'

/** One request for a list of a stack. */
export interface ListQuestion {
  readonly view: StackView
  readonly members: readonly Member[]
  readonly request: UpstreamRequest
  readonly frame: RequestFrame
  readonly method: ListMethod
}

/** An answer under way: its text, or why there is none. */
export interface Merging {
  readonly answer: Promise<string | GatewayError>
  cancel(): void
}

/**
 * One page of a stack's list: the next page of every member that has one, in the order of the
 * configuration. A member that gives none is left out, and named.
 */
export function mergeList(means: AskMeans, question: ListQuestion): Merging {
  const { view, members, request, frame, method } = question
  const cursor = memberOfObject(frame.params, 'cursor')
  const places =
    typeof cursor === 'string' ? openCursors(means.gate.cursors, view, method, cursor) : undefined
  if (cursor !== undefined && places === undefined) return done(new GatewayError('cursor_unknown'))
  const asked = members.filter(({ name }) => places === undefined || places.has(name))
  const asking: Asking = askAll(
    means,
    request,
    asked.map((member) => ({ member, frame: pageFrame(frame, places?.get(member.name)) })),
  )
  return { answer: asking.replies.then(merged), cancel: () => asking.cancel() }

  function merged(replies: readonly MemberReply[]): string | GatewayError {
    const read = replies.map((reply) => ({ reply, page: readPage(reply, method) }))
    const missing = read.filter(({ page }) => page === undefined).map((r) => r.reply.member.name)
    const pages = read.flatMap(({ page }) => page ?? [])
    const failure = read.find(({ reply }) => reply.answer.kind === 'failed')?.reply.answer
    // Nothing at all is an error, not an empty list that a client would believe.
    if (pages.length === 0 && failure?.kind === 'failed') return failure.error
    const cursors: Cursors = new Map(
      read.flatMap(({ reply, page }) =>
        page?.cursor === undefined ? [] : [[reply.member.name, page.cursor]],
      ),
    )
    return pageReply(frame.id, {
      method,
      pages,
      missing,
      cursor: sealCursors(means.gate.cursors, view, method, cursors),
    })
  }
}

const done = (answer: GatewayError): Merging => ({
  answer: Promise.resolve(answer),
  cancel() {},
})

/** The client's own request, with the member's own cursor in the place of the stack's. */
const pageFrame = (frame: RequestFrame, cursor: string | undefined): RequestFrame =>
  cursor === undefined ? frame : withParam(frame, ['cursor'], cursor)

const EMPTY: MemberPage = { items: [], cursor: undefined, ttlMs: Number.POSITIVE_INFINITY }

/** A member's page; empty for one that has no such list, undefined for one that gave none. */
function readPage({ member, answer }: MemberReply, method: ListMethod): MemberPage | undefined {
  if (answer.kind === 'none') return EMPTY
  return answer.kind === 'failed' ? undefined : pageOf(answer.text, method, member.name)
}
