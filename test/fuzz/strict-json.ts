/**
 * A second reading of JSON, written from RFC 8259 and from nothing else of this repository: one
 * character at a time, keeping every member and every number as written.
 */
export type Strict =
  | { readonly type: 'object'; readonly members: readonly (readonly [string, Strict])[] }
  | { readonly type: 'array'; readonly items: readonly Strict[] }
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'word'; readonly value: 'true' | 'false' | 'null' }

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Reader {
  readonly #text: string
  #at = 0
  constructor(text: string) {
    this.#text = text
  }

  all(): Strict {
    const value = this.#value()
    this.#blank()
    if (this.#at !== this.#text.length) throw new SyntaxError('something follows')
    return value
  }

  #blank(): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text.charAt(this.#at)))
      this.#at++
  }

  #take(wanted: string): boolean {
    if (!this.#text.startsWith(wanted, this.#at)) return false
    this.#at += wanted.length
    return true
  }

  #need(wanted: string): void {
    if (!this.#take(wanted)) throw new SyntaxError(`no ${wanted}`)
  }

  #value(): Strict {
    this.#blank()
    if (this.#take('{')) return { type: 'object', members: this.#list('}', () => this.#member()) }
    if (this.#take('[')) return { type: 'array', items: this.#list(']', () => this.#value()) }
    if (this.#text.charAt(this.#at) === '"') return { type: 'string', value: this.#string() }
    for (const value of ['true', 'false', 'null'] as const)
      if (this.#take(value)) return { type: 'word', value }
    return { type: 'number', text: this.#number() }
  }

  #list<T>(end: string, item: () => T): T[] {
    const out: T[] = []
    this.#blank()
    if (this.#take(end)) return out
    do {
      out.push(item())
      this.#blank()
    } while (this.#take(','))
    this.#need(end)
    return out
  }

  #member(): readonly [string, Strict] {
    this.#blank()
    const key = this.#string()
    this.#blank()
    this.#need(':')
    return [key, this.#value()]
  }

  #string(): string {
    this.#need('"')
    let out = ''
    for (;;) {
      const c = this.#text.charAt(this.#at++)
      if (c === '') throw new SyntaxError('no end of a string')
      if (c === '"') return out
      if (c < ' ') throw new SyntaxError('a control character')
      out += c === '\\' ? this.#escaped() : c
    }
  }

  #escaped(): string {
    const c = this.#text.charAt(this.#at++)
    const known = ESCAPED[c]
    if (known !== undefined) return known
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (c !== 'u' || !/^[0-9a-f]{4}$/i.test(digits)) throw new SyntaxError('no such escape')
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  #digits(): void {
    const from = this.#at
    while (this.#text.charAt(this.#at) >= '0' && this.#text.charAt(this.#at) <= '9') this.#at++
    if (this.#at === from) throw new SyntaxError('no digit')
  }

  #number(): string {
    const from = this.#at
    this.#take('-')
    if (!this.#take('0')) this.#digits()
    if (this.#take('.')) this.#digits()
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-')
      this.#digits()
    }
    return this.#text.slice(from, this.#at)
  }
}

/** Reads exactly one JSON value; undefined for a text that is none. */
export function readStrictly(text: string): Strict | undefined {
  try {
    return new Reader(text).all()
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** All objects of a value, at any depth. */
export function* objectsIn(value: Strict): Generator<readonly (readonly [string, Strict])[]> {
  if (value.type === 'object') {
    yield value.members
    for (const [, item] of value.members) yield* objectsIn(item)
  } else if (value.type === 'array') for (const item of value.items) yield* objectsIn(item)
}
