import type { RequestFrame } from '../../core/mcp/frame-model.ts'
import { stackedNotification } from '../../core/stack/answer.ts'
import {
  type Agreed,
  acknowledgement,
  flagsOf,
  LIST_FLAGS,
  listenFrame,
  notification,
  subscriptionEnd,
  wishesOf,
} from '../../core/stack/subscription.ts'
import type { Servers } from '../servers.ts'
import type { ReplySink, UpstreamExchange, UpstreamRequest } from '../upstream/upstream.ts'
import type { AskMeans } from './ask.ts'
import { memberOf, namesShown, type StackView } from './member.ts'
import { MemberStream } from './member-stream.ts'

/** How long the acknowledgement waits for members that have not answered. */
const ACK_MS = 5_000
/** What members say before the acknowledgement is held, up to this many. */
const MAX_EARLY = 256

/** What a subscription stands on. */
export interface SubscriptionMeans extends AskMeans {
  readonly servers: Servers
  readonly view: () => StackView
  /** Those that are open: told when the configuration has changed. */
  readonly subscriptions: Set<Subscription>
}

/** `subscriptions/listen` of a stack: one stream to the client, one at each member that it concerns. */
export class Subscription implements UpstreamExchange {
  readonly #means: SubscriptionMeans
  readonly #request: UpstreamRequest & { readonly frame: RequestFrame }
  readonly #sink: ReplySink
  readonly #streams = new Map<string, MemberStream>()
  readonly #waiting = new Set<string>()
  readonly #agreed: Agreed[] = []
  readonly #limit: NodeJS.Timeout
  #early: string[] | undefined = []

  constructor(
    means: SubscriptionMeans,
    request: UpstreamRequest & { readonly frame: RequestFrame },
    sink: ReplySink,
  ) {
    this.#means = means
    this.#request = request
    this.#sink = sink
    means.subscriptions.add(this)
    sink.head({ status: 200, kind: 'events', length: undefined, session: undefined })
    sink.onDrain(() => {
      for (const stream of this.#streams.values()) stream.resume()
    })
    this.#limit = setTimeout(() => this.#acknowledge(), ACK_MS).unref()
    const servers = namesShown(means.view())
    for (const member of servers) this.#waiting.add(member)
    for (const member of servers) this.#open(member)
    if (servers.length === 0) this.#acknowledge()
  }

  cancel(): void {
    this.#means.subscriptions.delete(this)
    clearTimeout(this.#limit)
    for (const stream of this.#streams.values()) stream.close()
  }

  /** Ends it in order: there is nothing more to be told of. */
  end(): void {
    this.cancel()
    this.#sink.event({ data: subscriptionEnd(this.#request.frame.id) })
    this.#sink.end()
  }

  /** The configuration has changed: what the client sees of the stack may have, too. */
  changed(): void {
    const servers = namesShown(this.#means.view())
    let isOther = false
    for (const [member, stream] of this.#streams)
      if (!servers.includes(member)) {
        isOther = true
        this.#streams.delete(member)
        stream.close()
      }
    for (const member of servers)
      if (!this.#streams.has(member)) {
        isOther = true
        this.#open(member)
      }
    // What a policy edit changes at a member is told on the member's own stream.
    if (isOther) this.#tellLists()
  }

  #open(member: string): void {
    const frame = listenFrame(this.#request.frame, member)
    if (frame === undefined) {
      this.#settled(member)
      return
    }
    // Set before it runs: a member may answer at once.
    const stream = new MemberStream({
      means: this.#means,
      request: { ...this.#request, frame },
      frame,
      member: () => memberOf(this.#means.view(), this.#means.servers, member),
      events: {
        agreed: (wishes) => {
          if (this.#early === undefined) this.#tellLists()
          else this.#agreed.push({ member, wishes })
          this.#settled(member)
        },
        silent: () => this.#settled(member),
        said: (text) => {
          const own = stackedNotification(text, member)
          return own === undefined || this.#pass(own)
        },
      },
    })
    this.#streams.set(member, stream)
  }

  #settled(member: string): void {
    this.#waiting.delete(member)
    if (this.#waiting.size === 0) this.#acknowledge()
  }

  #acknowledge(): void {
    const early = this.#early
    if (early === undefined) return
    this.#early = undefined
    clearTimeout(this.#limit)
    this.#sink.event({ data: acknowledgement(this.#request.frame, this.#agreed) })
    for (const text of early) this.#sink.event({ data: text })
  }

  #pass(text: string): boolean {
    if (this.#early === undefined) return this.#sink.event({ data: text })
    if (this.#early.length < MAX_EARLY) this.#early.push(text)
    return true
  }

  /** A member that is back, or new, may have changed while nobody listened. */
  #tellLists(): void {
    const { frame } = this.#request
    for (const flag of flagsOf(wishesOf(frame)))
      this.#pass(notification(LIST_FLAGS[flag], frame.id))
  }
}
