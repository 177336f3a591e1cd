/** Asks the server to tell of a resource, or not to any more; true when it agrees. */
export type Subscribing = (
  method: 'resources/subscribe' | 'resources/unsubscribe',
  uri: string,
) => Promise<boolean>

interface Wish {
  count: number
  readonly taken: Promise<boolean>
}

/** Which resources the clients of a session want to hear of: one subscription for all of them. */
export class ResourceWishes {
  readonly #ask: Subscribing
  readonly #wishes = new Map<string, Wish>()

  constructor(ask: Subscribing) {
    this.#ask = ask
  }

  /** One more wants to hear of it; true when the server tells of it. */
  async add(uri: string): Promise<boolean> {
    const wish = this.#wishes.get(uri) ?? { count: 0, taken: this.#ask('resources/subscribe', uri) }
    wish.count++
    this.#wishes.set(uri, wish)
    if (await wish.taken) return true
    if (this.#wishes.get(uri) === wish) this.#wishes.delete(uri)
    return false
  }

  /** One less wants to hear of it. */
  remove(uri: string): void {
    const wish = this.#wishes.get(uri)
    if (wish === undefined || --wish.count > 0) return
    this.#wishes.delete(uri)
    void this.#ask('resources/unsubscribe', uri)
  }
}
