import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json/json.ts'
import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import { isListMethod } from '../../core/mcp/list.ts'
import { unknownReply } from '../../core/mcp/reply.ts'
import { stackedAnswer } from '../../core/stack/answer.ts'
import { type Discovered, discoverReply } from '../../core/stack/discover.ts'
import { askedOf, isRouted, routeOf } from '../../core/stack/route.ts'
import { Exchange } from '../pipeline.ts'
import type { Servers } from '../servers.ts'
import type {
  ReplySink,
  Upstream,
  UpstreamExchange,
  UpstreamRequest,
} from '../upstream/upstream.ts'
import { answerWith, MemberAnswerSink } from './answer-sink.ts'
import { type AskMeans, askAll } from './ask.ts'
import { type Merging, mergeList } from './lists.ts'
import { callerOf, memberOf, membersShown, type StackView } from './member.ts'
import { observeRefusal } from './refusal.ts'
import { Subscription } from './subscription.ts'

/** What the face of a stack stands on. */
export interface FaceMeans extends AskMeans {
  readonly servers: Servers
  /** Whose stack it is, as of now. */
  readonly view: () => StackView
  readonly subscriptions: Set<Subscription>
  /** What members last said of themselves, by name: what they can do outlives a bad moment. */
  readonly said: Map<string, JsonObject>
  /** What it says that it speaks. */
  readonly versions: readonly string[]
}

const IDLE: UpstreamExchange = { cancel() {} }

/**
 * A stack as one server of the stateless era: what concerns one member goes through that member's
 * own pipeline, what concerns all of them is asked of all and merged. Nothing reaches a server here
 * that its own policy, limits and records have not seen under its own names.
 */
export function createStackFace(means: FaceMeans): Upstream {
  return {
    exchange(request, sink) {
      const { frame } = request
      if (frame.kind === 'request') return answer(means, { ...request, frame }, sink)
      // The stateless era has no message of a client's that waits for no answer.
      sink.head({ status: 202, kind: 'empty', length: 0, session: undefined })
      sink.end()
      return IDLE
    },
    listen(_, sink) {
      sink.fail(new GatewayError('verb_refused'), false)
      return IDLE
    },
    endSession: async () => 405,
    // Servers belong to the gateway, not to a stack.
    close: async () => {},
  }
}

/** A request to a stack. */
export type StackRequest = UpstreamRequest & { readonly frame: RequestFrame }

function answer(means: FaceMeans, request: StackRequest, sink: ReplySink): UpstreamExchange {
  const { frame } = request
  const view = means.view()
  if (isRouted(frame)) return route(means, view, request, sink)
  const members = membersShown(view, means.servers)
  const { method } = frame
  if (isListMethod(method))
    return merge(mergeList(means, { view, members, request, frame, method }), sink)
  if (method === 'server/discover') {
    const asking = askAll(
      means,
      request,
      members.map((member) => ({ member, frame })),
    )
    const merged = asking.replies.then((replies) => {
      const all = replies.map(({ member: { name }, answer: said }): Discovered => {
        if (said.kind === 'result') means.said.set(name, said.result)
        return { name, result: means.said.get(name), isMissing: said.kind !== 'result' }
      })
      return discoverReply(frame.id, { name: view.entry.name, versions: means.versions }, all)
    })
    return merge({ answer: merged, cancel: () => asking.cancel() }, sink)
  }
  if (method === 'subscriptions/listen') return new Subscription(means, request, sink)
  const error = new GatewayError('method_unknown', method.slice(0, 64))
  return refuse(means, { view, request }, sink, { error })
}

/** A request about one thing of one member, in that member's own pipeline. */
function route(
  means: FaceMeans,
  view: StackView,
  request: StackRequest,
  sink: ReplySink,
): UpstreamExchange {
  const asked = askedOf(request.frame)
  if (asked === undefined)
    return refuse(means, { view, request }, sink, {
      error: new GatewayError('params_invalid', 'a name or uri is missing'),
    })
  const routed = routeOf(request.frame)
  const member = routed === undefined ? undefined : memberOf(view, means.servers, routed.member)
  if (routed === undefined || member === undefined) {
    const { what, name } = asked
    const error =
      what === 'tool'
        ? new GatewayError('tool_unknown')
        : new GatewayError('params_invalid', `unknown ${what}`)
    const refusal = { tool: name, error }
    return refuse(
      means,
      { view, request },
      sink,
      what === 'task' ? refusal : { ...refusal, text: unknownReply(request.frame.id, what, name) },
    )
  }
  const exchange = new Exchange(
    means.gate,
    callerOf(request, member),
    routed.frame,
    new MemberAnswerSink(sink, routed.frame.id, (text) => stackedAnswer(text, asked, routed)),
  )
  void exchange.run()
  return exchange
}

/** Passes a merged answer on when it is there. */
function merge(merging: Merging, sink: ReplySink): UpstreamExchange {
  merging.answer
    .then((answered) => {
      if (typeof answered === 'string') answerWith(sink, answered)
      else sink.fail(answered, true)
    })
    .catch((cause: unknown) => sink.fail(asGatewayError(cause), true))
  return merging
}

/** What a stack says no to itself. */
interface Refusal {
  /** What it names, as the stack would. */
  readonly tool?: string
  readonly error: GatewayError
  /** The answer in place of the error's own. */
  readonly text?: string
}

function refuse(
  means: FaceMeans,
  { view, request }: { readonly view: StackView; readonly request: StackRequest },
  sink: ReplySink,
  { tool, error, text }: Refusal,
): UpstreamExchange {
  observeRefusal(means.gate, view, request, { tool, error })
  if (text === undefined) sink.fail(error, false)
  else answerWith(sink, text)
  return IDLE
}
