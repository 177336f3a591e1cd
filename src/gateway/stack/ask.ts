import { GatewayError } from '../../core/errors.ts'
import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import type { Gate } from '../gate.ts'
import { Exchange } from '../pipeline.ts'
import type { UpstreamRequest } from '../upstream/upstream.ts'
import { CollectedAnswer, type MemberAnswer, memberAnswer } from './collected-answer.ts'
import type { Health } from './health.ts'
import { callerOf, type Member } from './member.ts'

/** What asking members stands on. */
export interface AskMeans {
  readonly gate: Gate
  readonly health: Health
}

/** A question to one member, and what came of it. */
export interface MemberReply {
  readonly member: Member
  readonly answer: MemberAnswer
}

/** Questions under way. */
export interface Asking {
  readonly replies: Promise<readonly MemberReply[]>
  cancel(): void
}

/**
 * Asks several members at once, each in an exchange of its own: judged by its policy, on its record.
 * Resolves when every one has answered or had its time; never once it is cancelled.
 */
export function askAll(
  means: AskMeans,
  request: UpstreamRequest,
  questions: readonly { readonly member: Member; readonly frame: RequestFrame }[],
): Asking {
  const running = questions.map(({ member, frame }) => askOne(means, request, member, frame))
  return {
    replies: Promise.all(running.map((one) => one.reply)),
    cancel() {
      for (const one of running) one.cancel()
    },
  }
}

function askOne(
  { gate, health }: AskMeans,
  request: UpstreamRequest,
  member: Member,
  frame: RequestFrame,
): { reply: Promise<MemberReply>; cancel(): void } {
  let resolve = (_: MemberReply): void => {}
  const reply = new Promise<MemberReply>((done) => {
    resolve = done
  })
  let isOver = false
  const over = (answer: MemberAnswer): void => {
    if (isOver) return
    isOver = true
    clearTimeout(limit)
    if (answer.kind === 'failed') health.failed(member.name, answer.error)
    else health.answered(member.name)
    resolve({ member, answer })
  }
  const sink = new CollectedAnswer(frame.id, (collected) => over(memberAnswer(collected)))
  const exchange = new Exchange(gate, callerOf(request, member), frame, sink)
  const limit = setTimeout(() => {
    exchange.cancel()
    over({ kind: 'failed', error: new GatewayError('upstream_timeout') })
  }, health.patienceMs(member.name))
  void exchange.run()
  return {
    reply,
    cancel() {
      isOver = true
      clearTimeout(limit)
      exchange.cancel()
    },
  }
}
