import type { McpServer, ServerNotifier } from '@modelcontextprotocol/server'

/** A connection that lives on between requests, and the resources it wants to hear about. */
export interface Listener {
  readonly server: McpServer
  /** Undefined: whoever carries the connection sorts out who subscribed. */
  readonly subscribed: ReadonlySet<string> | undefined
}

/** Everybody who is told of a change: live connections, and the streams of the stateless era. */
export class Audience implements ServerNotifier {
  readonly #listeners = new Set<Listener>()
  #streams: ServerNotifier | undefined

  /** Who carries `subscriptions/listen` over HTTP, where no connection lives on. */
  carryTo(streams: ServerNotifier): void {
    this.#streams = streams
  }
  join(listener: Listener): void {
    this.#listeners.add(listener)
  }
  leave(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  toolsChanged(): void {
    this.#streams?.toolsChanged()
    for (const { server } of this.#listeners) server.sendToolListChanged()
  }
  promptsChanged(): void {
    this.#streams?.promptsChanged()
    for (const { server } of this.#listeners) server.sendPromptListChanged()
  }
  resourcesChanged(): void {
    this.#streams?.resourcesChanged()
    for (const { server } of this.#listeners) server.sendResourceListChanged()
  }
  resourceUpdated(uri: string): void {
    this.#streams?.resourceUpdated(uri)
    for (const { server, subscribed } of this.#listeners) {
      // A client that hung up meanwhile is nobody's fault.
      if (subscribed?.has(uri) !== false) server.server.sendResourceUpdated({ uri }).catch(() => {})
    }
  }
}
