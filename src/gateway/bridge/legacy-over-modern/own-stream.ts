import { makeRoom } from '../../bounded.ts'
import { createReply, type Reply } from '../../upstream/reply.ts'
import type { ReplySink, UpstreamExchange } from '../../upstream/upstream.ts'

/** Messages kept for a session whose stream is not open, or does not read. */
const MAX_QUEUED = 100

/** The stream of a session that belongs to no request; the newest connection reads it. */
export class OwnStream {
  readonly #queue = new Set<string>()
  #reader: Reply | undefined
  #isStalled = false

  /** Sends a message, or keeps it; a message that is kept already is not kept twice. */
  tell(text: string): boolean {
    if (this.#reader === undefined || this.#isStalled) {
      makeRoom(this.#queue, MAX_QUEUED)
      this.#queue.add(text)
      return true
    }
    this.#isStalled = !this.#reader.event(text)
    if (this.#isStalled) this.#reader.onDrain(() => this.#resume())
    return true
  }

  onDrain(resume: () => void): void {
    this.#reader?.onDrain(resume)
  }

  #resume(): void {
    this.#isStalled = false
    const waiting = [...this.#queue]
    this.#queue.clear()
    for (const text of waiting) this.tell(text)
  }

  /** A connection takes over; `left` is told when it goes and no other has come. */
  open(sink: ReplySink, left: () => void): UpstreamExchange {
    this.#reader?.end()
    const mine = createReply(sink)
    this.#reader = mine
    // Later, so that the caller holds the exchange before its sink is called.
    queueMicrotask(() => {
      if (this.#reader !== mine) return
      mine.begin()
      this.#resume()
    })
    return {
      cancel: () => {
        mine.drop()
        if (this.#reader !== mine) return
        this.#reader = undefined
        this.#isStalled = false
        left()
      },
    }
  }

  close(): void {
    this.#reader?.end()
    this.#reader = undefined
    this.#queue.clear()
  }
}
