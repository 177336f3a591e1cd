import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Remembers what was sent on each stream of a session, so that a stream can be resumed. */
export class EventLog implements EventStore {
  readonly #events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = []

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#events.push({ streamId, message })
    return Promise.resolve(String(this.#events.length - 1))
  }

  getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return Promise.resolve(this.#events[Number(eventId)]?.streamId)
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = Number(lastEventId)
    const streamId = this.#events[last]?.streamId
    if (streamId === undefined) throw new Error('there is no such event')
    for (const [index, event] of this.#events.entries()) {
      const isMessage = Object.keys(event.message).length > 0
      if (index > last && event.streamId === streamId && isMessage) {
        await send(String(index), event.message)
      }
    }
    return streamId
  }
}
