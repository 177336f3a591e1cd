import { GatewayError } from '../../core/errors.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'
import { answerIdOf } from '../gate.ts'
import type {
  Head,
  ReplySink,
  Upstream,
  UpstreamEvent,
  UpstreamRequest,
} from '../upstream/upstream.ts'
import { AnswerScan } from './answer-scan.ts'
import type { Mask, MaskedBody } from './mask.ts'
import { readWhole } from './whole-answer.ts'

/**
 * Lets nothing pass but answers: a body that is no JSON-RPC answer to its request is the failure of
 * the server, and what the server was told in confidence is written over.
 */
export function checkAnswers(inner: Upstream, mask: Mask | undefined): Upstream {
  return {
    endSession: (request) => inner.endSession(request),
    close: () => inner.close(),
    exchange: (request, sink) => inner.exchange(request, new CheckedSink(request, sink, mask)),
    listen: (request, sink) =>
      mask === undefined
        ? inner.listen(request, sink)
        : inner.listen(request, new MaskedSink(sink, mask)),
  }
}

/** Bytes of an answer that wait for its end: a smaller one is judged whole before any of it is told. */
const MAX_SMALL = 16 << 10
/** The same for a stateless answer that has not said yet what kind of result it is. */
const MAX_UNTYPED = 256 << 10
const NOTHING = new Uint8Array(0)

/** Writes over credentials in a stream that belongs to no request. */
class MaskedSink implements ReplySink {
  protected readonly sink: ReplySink
  protected readonly mask: Mask | undefined

  constructor(sink: ReplySink, mask: Mask | undefined) {
    this.sink = sink
    this.mask = mask
  }

  head(head: Head): void {
    this.sink.head(head)
  }

  chunk(bytes: Uint8Array): boolean {
    return this.sink.chunk(bytes)
  }

  event(event: UpstreamEvent): boolean {
    if (this.mask === undefined || event.data === '') return this.sink.event(event)
    return this.sink.event({ ...event, data: this.mask.text(event.data) })
  }

  end(): void {
    this.sink.end()
  }

  fail(error: GatewayError, wasSent: boolean): void {
    this.sink.fail(error, wasSent)
  }

  onDrain(resume: () => void): void {
    this.sink.onDrain(resume)
  }
}

/** Passes one answer on once it is known to be one; the end of a large one only then. */
class CheckedSink extends MaskedSink {
  readonly #id: FrameId | undefined
  /** True where the kind of result decides what becomes of it. */
  readonly #isTyped: boolean
  #scan: AnswerScan | undefined
  #body: MaskedBody | undefined
  /** Told once the first bytes may pass. */
  #head: Head | undefined
  #waiting: Uint8Array[] = []
  #waitingSize = 0
  /** What kind of result was told. */
  #toldType: string | undefined
  #isOpen = false
  #isOver = false

  constructor(request: UpstreamRequest, sink: ReplySink, mask: Mask | undefined) {
    super(sink, mask)
    this.#id = answerIdOf(request.frame)
    this.#isTyped = request.era === 'modern'
  }

  override head(head: Head): void {
    if (this.#isOver) return
    const isThanks = this.#id === undefined && head.status < 400
    if (head.kind === 'events' || isThanks) {
      // Whatever a server says to a notification, there is nobody who would hear it.
      super.head(head.kind === 'json' ? { ...head, kind: 'empty', status: 202 } : head)
      return
    }
    this.#head = head
  }

  override chunk(bytes: Uint8Array): boolean {
    const head = this.#head
    if (this.#isOver || head === undefined || head.kind !== 'json') return true
    if (this.#scan === undefined) {
      if (bytes.length === head.length && bytes.length <= MAX_SMALL && this.#takeWhole(bytes, head))
        return true
      this.#scan = new AnswerScan(this.#id)
      this.#body = this.mask?.body()
    }
    const clear = this.#body === undefined ? bytes : this.#body.push(bytes)
    return clear.length === 0 || this.#take(this.#scan, clear)
  }

  /** The usual case: a small answer that came in one piece. False where it must be read in full. */
  #takeWhole(bytes: Uint8Array, head: Head): boolean {
    const clear = this.mask === undefined ? bytes : this.mask.whole(bytes)
    const whole = readWhole(clear, this.#id)
    if (whole === undefined) return false
    this.#isOver = true
    const { resultType } = whole
    this.sink.head(resultType === undefined ? head : { ...head, resultType })
    this.sink.chunk(clear)
    this.sink.end()
    return true
  }

  #take(scan: AnswerScan, bytes: Uint8Array): boolean {
    // Before its last bytes go on, the whole is known to be an answer.
    const problem = scan.push(bytes) ? (scan.isWhole ? scan.end() : undefined) : scan.problem
    if (problem !== undefined) {
      this.#refuse(problem)
      return true
    }
    if (!this.#isOpen) {
      this.#waiting.push(bytes)
      this.#waitingSize += bytes.length
      const most = this.#isTyped && scan.resultType === undefined ? MAX_UNTYPED : MAX_SMALL
      if (scan.isWhole || this.#waitingSize <= most) return true
      this.#open(scan)
      return this.#flush()
    }
    if (this.#isTyped && this.#toldType !== scan.resultType) {
      this.#refuse('it says too late what kind of result it is')
      return true
    }
    return this.sink.chunk(bytes)
  }

  #open(scan: AnswerScan): void {
    this.#isOpen = true
    this.#toldType = scan.resultType
    const head = this.#head as Head
    this.sink.head(scan.resultType === undefined ? head : { ...head, resultType: scan.resultType })
  }

  #flush(): boolean {
    let mayFlow = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const bytes of waiting) mayFlow = this.sink.chunk(bytes) && mayFlow
    return mayFlow
  }

  #refuse(problem: string): void {
    this.#isOver = true
    this.#waiting = []
    const status = this.#head?.status ?? 200
    const detail = status < 400 ? problem : `HTTP ${status}`
    // An error status without an answer: the server did not take the request.
    this.sink.fail(new GatewayError('upstream_broken', detail), status < 400)
  }

  override event(event: UpstreamEvent): boolean {
    return this.#isOver || super.event(event)
  }

  override end(): void {
    if (this.#isOver) return
    const scan = this.#scan
    if (scan === undefined) {
      if (this.#head === undefined) {
        this.#isOver = true
        super.end()
      } else this.#refuse(`it is empty (HTTP ${this.#head.status})`)
      return
    }
    const rest = this.#body?.end() ?? NOTHING
    if (rest.length > 0) this.#take(scan, rest)
    if (this.#isOver) return
    const problem = scan.end()
    if (problem !== undefined) {
      this.#refuse(problem)
      return
    }
    if (!this.#isOpen) {
      this.#open(scan)
      this.#flush()
    }
    this.#isOver = true
    super.end()
  }

  override fail(error: GatewayError, wasSent: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#waiting = []
    super.fail(error, wasSent)
  }
}
