import type { ServerResponse } from 'node:http'
import { eventText } from '../upstream/event-stream.ts'
import type { MessageWriter } from './message-writer.ts'

/** A reader that leaves this much unread is let go. */
const MAX_BACKLOG = 64 << 20
/** With this much unread nothing new is begun. */
const BEHIND = 4 << 20

/** Writes every message as an event of one stream. */
export interface EventWriter extends MessageWriter {
  /** True while so much is unread that no more should be asked for. */
  isBehind(): boolean
}

/** The only way to a client over HTTP+SSE; what is not read takes bounded memory. */
export function createEventWriter(response: ServerResponse): EventWriter {
  let waiting: (() => void)[] = []
  const wake = (): void => {
    const resumes = waiting
    waiting = []
    for (const resume of resumes) resume()
  }
  response.on('drain', wake)
  response.on('close', wake)
  const isGone = (): boolean => response.writableEnded || response.destroyed
  return {
    write(text) {
      if (isGone()) return true
      const mayFlow = response.write(eventText({ data: text }))
      if (response.writableLength > MAX_BACKLOG) response.destroy()
      return mayFlow
    },
    isFull: () => !isGone() && response.writableNeedDrain,
    isBehind: () => response.writableLength > BEHIND,
    onDrain(resume) {
      if (isGone() || !response.writableNeedDrain) queueMicrotask(resume)
      else waiting.push(resume)
    },
  }
}
