import { GatewayError } from '../core/errors.ts'
import type { Instant } from '../core/instant.ts'
import { isObject, type JsonObject, member } from '../core/json/json.ts'
import { isCacheable, keepPrivate } from '../core/mcp/caching.ts'
import { advertiseChanges } from '../core/mcp/capabilities.ts'
import type { Frame, FrameId, RequestFrame } from '../core/mcp/frame-model.ts'
import { isListMethod, itemName, type ListMethod } from '../core/mcp/list.ts'
import { mirrorFault } from '../core/mcp/mirror-fault.ts'
import { parseJson } from '../core/mcp/parse-json.ts'
import {
  type Denial,
  denialReply,
  errorReply,
  itemDenialReply,
  type Reader,
  unknownReply,
} from '../core/mcp/reply.ts'
import {
  META_KEYS,
  NOTIFICATIONS,
  REQUEST_METHODS,
  TASKS_EXTENSION,
} from '../core/mcp/revisions.ts'
import { hiddenDecision } from '../core/policy/decide.ts'
import type { AccessRequest, Decision, ItemKind, LimitUse, Tool } from '../core/policy/model.ts'
import { account, readCounters, UNLIMITED } from './account.ts'
import { approve } from './approve.ts'
import { type Forwarded, Relay, Rewriting } from './forward.ts'
import { type AnswerSink, type Caller, type Gate, idOf } from './gate.ts'
import { isHiddenUnder } from './list-changes.ts'
import { withoutDenied } from './listen-filter.ts'
import { paramMismatch } from './mirror.ts'
import { type Ending, recordOf } from './observe.ts'
import { maxTtlMs, Paging, placeOf } from './paging.ts'
import { ensureListed } from './refresh.ts'
import { isPage, isResourceHidden } from './resources.ts'
import { exchangeResuming } from './resume.ts'
import { continueRound, sealRound } from './rounds.ts'
import { kindsToTell, Subscription } from './subscription.ts'
import { filterTasks, isTaskMethod, isTaskOpen, rememberTask, taskOwner } from './tasks.ts'
import type { ReplySink, UpstreamExchange } from './upstream/upstream.ts'

/** What a request is judged to be: who, which tool, which arguments, and the decision on it. */
interface Judged {
  readonly tool: string | undefined
  readonly known: Tool | undefined
  readonly args: JsonObject | undefined
  readonly observed: Denial | undefined
  readonly reservation: string | undefined
  /** True for a call that draws on limits: a further round of it must not be counted again. */
  readonly isCounted: boolean
}

const PLAIN: Judged = {
  tool: undefined,
  known: undefined,
  args: undefined,
  observed: undefined,
  reservation: undefined,
  isCounted: false,
}

/**
 * One frame in, and everything done because of it. Read `#call` from top to bottom: nothing is
 * forwarded before it is decided, approved and accounted for, and every way out is on record.
 */
export class Exchange {
  readonly #gate: Gate
  readonly #caller: Caller
  readonly #frame: Frame
  readonly #bytes: Uint8Array
  readonly #sink: AnswerSink
  readonly #reader: Reader
  readonly #at: Instant
  readonly #startedAt: number
  #upstream: UpstreamExchange | undefined
  /** What is under way at the upstream; undefined before, and once it is settled. */
  #forwarding: Judged | undefined
  /** Ends what goes on beside the exchange at the upstream. */
  #stop: (() => void) | undefined
  /** Gives the answer that is due when the gateway ends what would go on. */
  #finish: (() => void) | undefined
  #isGone = false

  /** `bytes` are the frame's text where they are at hand. */
  constructor(
    gate: Gate,
    caller: Caller,
    frame: Frame,
    sink: AnswerSink,
    bytes: Uint8Array = Buffer.from(frame.text, 'utf8'),
  ) {
    this.#bytes = bytes
    this.#gate = gate
    this.#caller = caller
    this.#frame = frame
    this.#sink = sink
    this.#reader = { isModern: caller.era === 'modern', protocolVersion: caller.protocolVersion }
    this.#at = gate.clock.now()
    this.#startedAt = gate.elapsed()
  }

  /** Runs the exchange; resolves when it is decided, which may be before its answer has ended. */
  async run(): Promise<void> {
    try {
      await this.#run(this.#frame)
    } catch (cause) {
      const error =
        cause instanceof GatewayError ? cause : new GatewayError('internal', undefined, { cause })
      this.#gate.log('error', {
        event: 'exchange.failed',
        exchangeId: this.#gate.newId(),
        code: error.code,
        reason: cause instanceof Error ? cause.message : 'unknown',
      })
      this.#refuse(error, PLAIN)
    }
  }

  /** The downstream has gone: nothing more is executed for it. */
  cancel(): void {
    this.#isGone = true
    this.#stop?.()
    this.#upstream?.cancel()
    // A cancelled upstream says nothing more. It may have acted on the call, so the call counts.
    this.settle({ wasTaken: true, status: undefined, code: 'cancelled' })
  }

  /** The gateway itself ends it: its credential is none any more, or the gateway stops. */
  finish(): void {
    this.#finish?.()
    this.cancel()
  }

  /** Ends a forwarded frame's account, once: with its answer, or when the downstream goes first. */
  settle(forwarded: Forwarded): void {
    const judged = this.#forwarding
    if (judged === undefined) return
    this.#forwarding = undefined
    if (judged.reservation !== undefined)
      if (forwarded.wasTaken) this.#gate.counters.settle(judged.reservation)
      else this.#gate.counters.release(judged.reservation)
    const outcome = forwarded.code === undefined ? 'forwarded' : 'failed'
    this.#observe(allowed(this.#frame, judged, outcome, forwarded.code, forwarded.status))
  }

  #run(frame: Frame): Promise<void> | void {
    if (frame.kind === 'response') return this.#answer(frame)
    if (frame.kind === 'notification') return this.#notify(frame)
    const { method } = frame
    const { entry } = this.#caller.server
    if (!REQUEST_METHODS[this.#caller.era].has(method) && !entry.methods.includes(method))
      return this.#refuse(new GatewayError('method_unknown', method.slice(0, 64)), PLAIN)
    if (method === 'tools/call') return this.#call(frame)
    if (isListMethod(method)) return this.#list(frame, method)
    if (method === 'subscriptions/listen') return this.#subscribe(frame)
    if (isTaskMethod(method)) return this.#task(frame)
    const item = itemOf(frame)
    return item === undefined ? this.#forward(frame, PLAIN) : this.#item(frame, item)
  }

  async #call(frame: RequestFrame): Promise<void> {
    const name = member(frame.params, 'name')
    const args = member(frame.params, 'arguments') ?? {}
    if (typeof name !== 'string') return this.#refuse(invalid('`name` must be a string'), PLAIN)
    if (!isObject(args)) return this.#refuse(invalid('`arguments` must be an object'), PLAIN)
    const judged: Judged = { ...PLAIN, tool: name, args }
    const loaded = this.#caller.grant.policy
    if (loaded === undefined) return this.#deny(frame, judged, NO_POLICY)

    // decide
    const { policy } = loaded
    const { catalogue } = this.#caller.server
    const isAdvertised = policy.needsAdvertising(name)
    const listing = ensureListed(this.#gate, this.#caller, name, isAdvertised)
    // Whoever has no headers of its own gets those that the definition wants from us.
    const needsDefinition = policy.readsDefinitions || this.#caller.mirrors === undefined
    if (listing !== undefined && (isAdvertised || needsDefinition)) await listing
    else listing?.catch(() => {})
    const known = catalogue.find(name)
    const { failure } = this.#caller.server.refresh
    // Nobody can say which names there are: the same answer for all that would need it.
    if (known === undefined && failure !== undefined && isAdvertised)
      return this.#refuse(failure, judged)
    const mirrored = known?.mirrored ?? []
    const mismatch =
      this.#caller.mirrors === undefined || this.#caller.era === 'legacy'
        ? undefined
        : paramMismatch(args, this.#caller.mirrors, mirrored)
    if (mismatch !== undefined)
      return this.#refuse(new GatewayError('header_mismatch', mismatch), judged)
    const tool = known?.tool ?? catalogue.describe(name)
    const read = policy.countersRead(name)
    const counters =
      read.length === 0
        ? NO_COUNTERS
        : await readCounters(
            this.#gate,
            this.#caller,
            read.flatMap((c) => {
              const limit = policy.limitNamed(c)
              return limit === undefined ? [] : [[c, limit] as const]
            }),
            this.#at,
          )
    const decision = policy.decide(this.#accessRequest(tool, args, counters))
    if (decision.effect === 'deny')
      return decision.isHidden
        ? this.#hide(frame, { ...judged, known: tool }, decision, 'tool')
        : this.#deny(frame, { ...judged, known: tool }, decision)

    if (policy.pins && catalogue.hasDrifted(name))
      return this.#deny(frame, { ...judged, known: tool }, DRIFT)

    // approve
    if (decision.effect === 'approve')
      return this.#deny(frame, { ...judged, known: tool }, approve(decision))

    // account
    const round =
      member(frame.params, 'requestState') === undefined
        ? undefined
        : await continueRound(this.#gate, this.#caller, frame)
    const limits = round?.isCounted === true ? decision.limits.filter(isHeld) : decision.limits
    const accounted =
      limits.length === 0 ? UNLIMITED : await account(this.#gate, this.#caller, limits, this.#at)
    if (!accounted.ok)
      return this.#deny(frame, { ...judged, known: tool }, accounted.denial, accounted.kind)

    // forward
    return this.#forward(round?.frame ?? frame, {
      tool: name,
      known: tool,
      args,
      observed: decision.observed ?? accounted.observed,
      reservation: accounted.reservation,
      isCounted: decision.limits.length > 0,
    })
  }

  /** What the decision point judges. */
  #accessRequest(
    tool: Tool,
    args: JsonObject,
    counters: AccessRequest['context']['counters'],
  ): AccessRequest {
    const { grant, session, client } = this.#caller
    return {
      subject: { grant, session: session?.id, client },
      tool,
      args,
      context: { at: this.#at, counters },
    }
  }

  async #item(frame: RequestFrame, item: Item): Promise<void> {
    const judged: Judged = { ...PLAIN, tool: item.name }
    const { policy } = this.#caller.grant
    if (policy === undefined) return this.#denyItem(frame, judged, NO_POLICY)
    if (item.kind === 'resources' && isPage(item.name)) {
      // A page is as visible as the tools that it belongs to.
      if (!this.#caller.server.catalogue.isComplete)
        await ensureListed(this.#gate, this.#caller, '', true)
      if (isResourceHidden(this.#caller, item.name))
        return this.#hide(frame, judged, hiddenDecision(item.name, 'resource'), 'resource')
    }
    const decision: Decision = policy.policy.decideItem(item.kind, item.name)
    if (decision.effect === 'deny')
      return decision.isHidden
        ? this.#hide(frame, judged, decision, item.kind === 'prompts' ? 'prompt' : 'resource')
        : this.#denyItem(frame, judged, decision)
    if (decision.effect === 'approve') return this.#denyItem(frame, judged, approve(decision))
    // What is got counts; to complete an argument, or to watch less, is no use of the thing.
    const counts = !/^completion\/|\/unsubscribe$/.test(frame.method)
    const accounted =
      decision.limits.length === 0 || !counts
        ? UNLIMITED
        : await account(this.#gate, this.#caller, decision.limits, this.#at)
    if (!accounted.ok) return this.#denyItem(frame, judged, accounted.denial, accounted.kind)
    return this.#forward(frame, {
      ...judged,
      observed: decision.observed ?? accounted.observed,
      reservation: accounted.reservation,
    })
  }

  /** A task belongs to the grant whose call made it, and only while that tool stays allowed. */
  #task(frame: RequestFrame): Promise<void> | void {
    if (frame.method === 'tasks/list') return this.#forward(frame, PLAIN)
    if (this.#caller.era === 'modern' && !declaresTasks(frame.params))
      return this.#refuse(new GatewayError('capability_missing', TASKS_EXTENSION), PLAIN)
    const owner = taskOwner(this.#caller, frame)
    const judged: Judged = { ...PLAIN, tool: owner?.tool }
    const id = member(frame.params, 'taskId')
    const isOpen = typeof id === 'string' && isTaskOpen(this.#gate, this.#caller, id)
    return isOpen ? this.#forward(frame, judged) : this.#refuse(invalid('unknown task'), judged)
  }

  /** What a caller may not know of is left out of its lists, page by page. */
  #list(frame: RequestFrame, method: ListMethod): void {
    const place = placeOf(this.#gate, this.#caller, method, frame)
    if (place === undefined) {
      this.#refuse(new GatewayError('cursor_unknown'), PLAIN)
      return
    }
    this.#forwarding = PLAIN
    const isHidden = (item: JsonObject): boolean => this.#isHidden(method, item)
    const paging = new Paging(
      { gate: this.#gate, caller: this.#caller, method, frame, place, isHidden },
      new Relay(this.#sink, this.#caller, frame.id, this, this.#judging(frame)),
      {
        ask: (page, sink) => this.#sendUp(page, sink),
        abandon: () => this.#upstream?.cancel(),
        broken: () => brokenReply(frame.id, this.#reader),
      },
    )
    this.#stop = () => paging.stop()
    paging.start()
  }

  /** The gateway's own news goes with the server's; where that has no subscriptions, alone. */
  #subscribe(frame: RequestFrame): void {
    const kinds = kindsToTell(this.#caller, frame)
    this.#forwarding = PLAIN
    const relay = new Relay(this.#sink, this.#caller, frame.id, this, this.#judging(frame))
    const around = { gate: this.#gate, caller: this.#caller, frame, kinds }
    const subscription = new Subscription(around, relay, this.#sink)
    this.#stop = () => subscription.stop()
    this.#finish = () => subscription.finish()
    this.#sendUp(withoutDenied(this.#gate, this.#caller, frame), subscription)
  }

  /** Forwards at once; under strict audit, only what is already on record. */
  #forward(frame: RequestFrame, judged: Judged): Promise<void> | void {
    return this.#gate.audit === 'strict' && judged.tool !== undefined
      ? this.#forwardRecorded(frame, judged)
      : this.#forwardNow(frame, judged)
  }

  async #forwardRecorded(frame: RequestFrame, judged: Judged): Promise<void> {
    if (await this.#intend(judged)) return this.#forwardNow(frame, judged)
    if (judged.reservation !== undefined) this.#gate.counters.release(judged.reservation)
    this.#refuse(new GatewayError('store_unavailable', 'the call can not be recorded'), judged)
  }

  #forwardNow(frame: RequestFrame, judged: Judged): void {
    if (this.#isGone) {
      if (judged.reservation !== undefined) this.#gate.counters.release(judged.reservation)
      this.#observe(allowed(frame, judged, 'failed', 'cancelled', undefined))
      return
    }
    this.#forwarding = judged
    const relay = new Relay(this.#sink, this.#caller, frame.id, this, this.#judging(frame))
    this.#sendUp(frame, this.#rewriting(frame, judged, relay))
  }

  /** Answers that are read on their way: lists are filtered, sessions sealed, tasks bound. */
  #rewriting(frame: RequestFrame, judged: Judged, relay: Relay): ReplySink {
    const { method, params, id } = frame
    if (method === 'initialize')
      return new Rewriting(
        relay,
        id,
        (text, head) => {
          const version = negotiatedVersion(text)
          if (version === undefined) return { text, head: { ...head, session: undefined } }
          const session = this.#sink.openSession(head.session, version)
          return { text: this.#offer(text), head: { ...head, session } }
        },
        'head and answer',
      )
    const maxTtl = isCacheable(method) ? maxTtlMs(this.#gate, this.#caller) : undefined
    if (maxTtl !== undefined)
      return new Rewriting(relay, id, (text, head) => {
        const offer = method === 'server/discover' ? this.#offer(text) : text
        return { text: keepPrivate(offer, maxTtl), head }
      })
    if (method === 'tasks/list')
      return new Rewriting(relay, id, (text, head) => ({
        text: filterTasks(this.#gate, this.#caller, text) ?? brokenReply(id, this.#reader),
        head,
      }))
    if (method !== 'tools/call') return relay
    const makesTask = mayMakeTask(params)
    const asksMore = judged.isCounted && mayBeAsked(params)
    if (makesTask || asksMore)
      return new Rewriting(relay, id, (text, head) => {
        if (makesTask) rememberTask(this.#caller, judged.tool ?? '', text)
        return { text: asksMore ? sealRound(this.#gate, this.#caller, params, text) : text, head }
      })
    return relay
  }

  /** Takes in what the server offers, and says that the gateway tells of changes of its lists. */
  #offer(text: string): string {
    const offer = advertiseChanges(text)
    if (offer === undefined) return text
    this.#caller.server.offers.kinds = offer.kinds
    return offer.text
  }

  #isHidden(method: ListMethod, item: JsonObject): boolean {
    const { catalogue } = this.#caller.server
    const name = itemName(method, item)
    if (name === undefined || (method === 'tools/list' && this.#isUnusable(item))) return true
    return isHiddenUnder(this.#caller.grant.policy, { catalogue, method, name, definition: item })
  }

  /** A tool whose arguments nobody can repeat in headers, where that is for the gateway to do. */
  #isUnusable(definition: JsonObject): boolean {
    const { server, era, mirrors } = this.#caller
    const isOurs = mirrors === undefined && era === 'modern' && server.entry.target.kind === 'http'
    return isOurs && mirrorFault(definition) !== undefined
  }

  /** True once the call is on record, durably. */
  async #intend(judged: Judged): Promise<boolean> {
    const frame = this.#frame as RequestFrame
    this.#observe(allowed(frame, judged, 'forwarded', 'intent', undefined))
    try {
      await this.#gate.records.flush()
      return true
    } catch {
      return false
    }
  }

  #deny(
    frame: RequestFrame,
    judged: Judged,
    denial: Denial,
    kind: 'denied' | 'exhausted' | 'failed' = 'denied',
  ): void {
    this.#sink.reply(denialReply(frame.id, denial, this.#reader), 200)
    this.#observe({ ...base(frame, judged), ...denied(denial), outcome: kind })
  }

  #denyItem(
    frame: RequestFrame,
    judged: Judged,
    denial: Denial,
    kind: 'denied' | 'exhausted' | 'failed' = 'denied',
  ): void {
    this.#sink.reply(itemDenialReply(frame.id, denial), 200)
    this.#observe({ ...base(frame, judged), ...denied(denial), outcome: kind })
  }

  #hide(
    frame: RequestFrame,
    judged: Judged,
    denial: Denial,
    what: 'tool' | 'prompt' | 'resource',
  ): void {
    this.#sink.reply(unknownReply(frame.id, what, judged.tool ?? ''), 200)
    this.#observe({ ...base(frame, judged), ...denied(denial), outcome: 'denied' })
  }

  #refuse(error: GatewayError, judged: Judged): void {
    const frame = this.#frame
    this.#sink.fail(error, false)
    this.#observe({
      ...base(frame, judged),
      effect: 'deny',
      rule: '',
      message: error.message,
      mode: 'enforce',
      outcome: 'failed',
      code: error.code,
    })
  }

  #notify(frame: Extract<Frame, { kind: 'notification' }>): void {
    const { method } = frame
    if (!method.startsWith('notifications/'))
      this.#refuse(new GatewayError('frame_invalid', 'a request needs an id'), PLAIN)
    else if (NOTIFICATIONS.has(method) || this.#caller.server.entry.methods.includes(method))
      this.#send(frame)
    else this.#ignore(new GatewayError('method_unknown', method.slice(0, 64)))
  }

  /** A notification that nobody knows is taken and dropped, as a server would. */
  #ignore({ message, code }: GatewayError): void {
    this.#sink.head({ status: 202, kind: 'empty', length: undefined, session: undefined })
    this.#sink.end()
    const ending = {
      effect: 'deny',
      rule: '',
      message,
      mode: 'enforce',
      outcome: 'failed',
    } as const
    this.#observe({ ...base(this.#frame, PLAIN), ...ending, code })
  }

  #answer(frame: Extract<Frame, { kind: 'response' }>): void {
    const { session } = this.#caller
    // Only what the server asked in this session may be answered, once.
    if (session === undefined || !session.asked.delete(frame.id))
      this.#refuse(new GatewayError('response_unexpected'), PLAIN)
    else this.#send(frame)
  }

  #send(frame: Exclude<Frame, RequestFrame>): void {
    this.#forwarding = PLAIN
    const relay = new Relay(this.#sink, this.#caller, idOf(frame), this, this.#judging(frame))
    this.#sendUp(frame, relay)
  }

  #judging(frame: Frame): { gate: Gate; frame: Frame } {
    return { gate: this.#gate, frame }
  }

  /** Sends a frame to the upstream; what comes back goes to `sink`. */
  #sendUp(frame: Frame, sink: ReplySink): void {
    const { server, era, mirrors } = this.#caller
    // A client over HTTP resumes its streams itself; over any other channel it has none, and of what
    // the gateway asks on its own it knows nothing.
    const isOurs = mirrors === undefined || idOf(frame) !== idOf(this.#frame)
    const request = {
      frame,
      bytes: frame === this.#frame ? this.#bytes : Buffer.from(frame.text, 'utf8'),
      era,
      protocolVersion: this.#caller.protocolVersion,
      session: this.#caller.session?.upstream,
      grantId: this.#caller.grant.id,
      headers: this.#caller.headers,
      mayReturn: !isOurs && era === 'legacy',
    }
    this.#upstream =
      isOurs && era === 'legacy' && frame.kind === 'request'
        ? exchangeResuming(server.upstream, { ...request, frame }, sink)
        : server.upstream.exchange(request, sink)
    // The downstream may have gone while the exchange was being set up.
    if (this.#isGone) this.#upstream.cancel()
  }

  #observe(ending: Ending): void {
    this.#gate.records.put(
      recordOf(this.#caller, ending, {
        id: this.#gate.newId(),
        at: this.#at,
        latencyMs: Math.round((this.#gate.elapsed() - this.#startedAt) * 1000) / 1000,
      }),
    )
  }
}

const NO_POLICY: Denial = {
  rule: '(no policy)',
  message: 'this credential has no policy, so nothing is allowed',
}

const DRIFT: Denial = {
  rule: '(drift)',
  message: 'the definition of this tool has changed since it was first seen',
}

const NO_COUNTERS: ReadonlyMap<string, number> = new Map()

const invalid = (detail: string): GatewayError => new GatewayError('params_invalid', detail)

const requestIdOf = (frame: Frame): string | undefined => {
  const id: FrameId | undefined = idOf(frame)
  return id === undefined ? undefined : String(id)
}

const methodOf = (frame: Frame): string => (frame.kind === 'response' ? 'response' : frame.method)

const base = (frame: Frame, judged: Judged) => ({
  requestId: requestIdOf(frame),
  method: methodOf(frame),
  tool: judged.tool,
  known: judged.known,
  args: judged.args,
})

const denied = (denial: Denial) => ({
  effect: 'deny' as const,
  rule: denial.rule,
  message: denial.message,
  mode: 'enforce' as const,
})

/** What is recorded of a forwarded frame; a rule in observe mode that would have refused it shows. */
const allowed = (
  frame: Frame,
  judged: Judged,
  outcome: Ending['outcome'],
  code: string | undefined,
  upstreamStatus: number | undefined,
): Ending => ({
  requestId: requestIdOf(frame),
  method: methodOf(frame),
  tool: judged.tool,
  known: judged.known,
  args: judged.args,
  effect: judged.observed === undefined ? 'allow' : 'deny',
  rule: judged.observed?.rule ?? '',
  message: judged.observed?.message ?? '',
  mode: judged.observed === undefined ? 'enforce' : 'observe',
  outcome,
  code,
  upstreamStatus,
})

interface Item {
  readonly kind: ItemKind
  readonly name: string
}

/** The prompt or resource that a request is about; undefined when it is about none. */
function itemOf({ method, params }: RequestFrame): Item | undefined {
  if (method === 'prompts/get') return named('prompts', member(params, 'name'))
  if (/^resources\/(read|subscribe|unsubscribe)$/.test(method))
    return named('resources', member(params, 'uri'))
  if (method !== 'completion/complete') return undefined
  const ref = member(params, 'ref')
  if (!isObject(ref)) return named('prompts', undefined)
  return member(ref, 'type') === 'ref/resource'
    ? named('resources', member(ref, 'uri'))
    : named('prompts', member(ref, 'name'))
}

const named = (kind: ItemKind, name: unknown): Item => {
  if (typeof name !== 'string') throw invalid('a name or uri is missing')
  return { kind, name }
}

function negotiatedVersion(text: string): string | undefined {
  let message: unknown
  try {
    message = parseJson(text)
  } catch {
    return undefined
  }
  const result = isObject(message) ? member(message, 'result') : undefined
  const version = isObject(result) ? member(result, 'protocolVersion') : undefined
  return typeof version === 'string' ? version : undefined
}

/** What is held while a call runs is held in every round of it. */
const isHeld = (use: LimitUse): boolean => use.limit.algorithm === 'concurrent'

/** True when the client says that it can be asked for more before a call is done. */
const mayBeAsked = (params: JsonObject): boolean => {
  const declared = declaredBy(params)
  return declared !== undefined && Object.keys(declared).length > 0
}

/** The capabilities that a stateless request declares; undefined where it declares none. */
const declaredBy = (params: JsonObject): JsonObject | undefined => {
  const meta = member(params, '_meta')
  const declared = isObject(meta) ? member(meta, META_KEYS.capabilities) : undefined
  return isObject(declared) ? declared : undefined
}

const mayMakeTask = (params: JsonObject): boolean =>
  member(params, 'task') !== undefined || declaresTasks(params)

const declaresTasks = (params: JsonObject): boolean => {
  const declared = declaredBy(params)
  const extensions = declared === undefined ? undefined : member(declared, 'extensions')
  return isObject(extensions) && member(extensions, TASKS_EXTENSION) !== undefined
}

const brokenReply = (id: FrameId, reader: Reader): string =>
  errorReply(id, new GatewayError('upstream_broken', 'its list is not JSON'), reader)
