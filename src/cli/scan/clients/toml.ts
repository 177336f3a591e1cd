/** A table of TOML, as far as configurations of MCP servers use it. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable
/** The members of a table, by name. */
export interface TomlTable {
  readonly [name: string]: TomlValue
}

type Building = { [name: string]: TomlValue | Building }

/** Reads TOML: tables, arrays of tables, dotted and quoted keys, all kinds of strings; undefined when it is broken. */
export function parseToml(text: string): TomlTable | undefined {
  try {
    return new Reader(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')).document()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
}
const MAX_DEPTH = 32

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): TomlTable {
    const root: Building = Object.create(null)
    let table = root
    for (;;) {
      this.#skip(/[\s]|#[^\n]*/y)
      if (this.#at >= this.#text.length) return root as TomlTable
      if (this.#take('[[')) table = this.#header(root, ']]')
      else if (this.#take('[')) table = this.#header(root, ']')
      else this.#pair(table)
    }
  }

  #header(root: Building, end: ']' | ']]'): Building {
    const path = this.#path()
    this.#expect(end)
    if (end === ']') return descend(root, path)
    const last = path.pop() ?? ''
    const parent = descend(root, path)
    const list = parent[last] ?? []
    if (!Array.isArray(list)) throw new SyntaxError('not a list of tables')
    const table: Building = Object.create(null)
    parent[last] = [...list, table] as TomlValue
    return table
  }

  #pair(table: Building): void {
    const path = this.#path()
    this.#expect('=')
    const last = path.pop() ?? ''
    const parent = descend(table, path)
    if (Object.hasOwn(parent, last)) throw new SyntaxError('a key twice')
    parent[last] = this.#value()
    this.#skip(/[ \t]|#[^\n]*/y)
    if (this.#at < this.#text.length && !'\n,}'.includes(this.#text[this.#at] ?? ''))
      throw new SyntaxError('more than one value on a line')
  }

  #path(): string[] {
    const path: string[] = []
    do {
      this.#skip(/[ \t]/y)
      const quoted = this.#text[this.#at]
      path.push(quoted === '"' || quoted === "'" ? this.#string() : this.#match(/[A-Za-z0-9_-]+/y))
      this.#skip(/[ \t]/y)
    } while (this.#take('.'))
    return path
  }

  #value(): TomlValue {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError('nested too deeply')
    this.#skip(/[ \t]/y)
    const first = this.#text[this.#at]
    const value =
      first === '"' || first === "'"
        ? this.#string()
        : first === '['
          ? this.#list()
          : first === '{'
            ? this.#inline()
            : this.#bare()
    this.#depth--
    return value
  }

  #bare(): TomlValue {
    const word = this.#match(/[^\s,\]}#]+/y)
    if (word === 'true' || word === 'false') return word === 'true'
    const number = Number(word.replaceAll('_', ''))
    // Dates and the like stay text: no server is configured with one.
    return Number.isNaN(number) ? word : number
  }

  #list(): readonly TomlValue[] {
    this.#expect('[')
    const items: TomlValue[] = []
    for (;;) {
      this.#skip(/\s|#[^\n]*/y)
      if (this.#take(']')) return items
      items.push(this.#value())
      this.#skip(/\s|#[^\n]*/y)
      if (!this.#take(',') && this.#text[this.#at] !== ']')
        throw new SyntaxError('a list is not closed')
    }
  }

  #inline(): TomlTable {
    this.#expect('{')
    const table: Building = Object.create(null)
    for (;;) {
      this.#skip(/\s|#[^\n]*/y)
      if (this.#take('}')) return table as TomlTable
      this.#pair(table)
      this.#skip(/\s|#[^\n]*/y)
      if (!this.#take(',') && this.#text[this.#at] !== '}')
        throw new SyntaxError('a table is not closed')
    }
  }

  #string(): string {
    for (const quotes of ['"""', "'''"] as const)
      if (this.#take(quotes)) {
        const end = this.#text.indexOf(quotes, this.#at)
        if (end < 0) throw new SyntaxError('a string is not closed')
        const raw = this.#text.slice(this.#at, end).replace(/^\n/, '')
        this.#at = end + 3
        return quotes === "'''" ? raw : withoutEscapes(raw.replace(/\\[ \t]*\n\s*/g, ''))
      }
    if (this.#take("'")) {
      const raw = this.#match(/[^'\n]*/y)
      this.#expect("'")
      return raw
    }
    this.#expect('"')
    const raw = this.#match(/(?:[^"\\\n]|\\.)*/y)
    this.#expect('"')
    return withoutEscapes(raw)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) throw new SyntaxError('unexpected text')
    this.#at += found[0].length
    return found[0]
  }

  #skip(pattern: RegExp): void {
    for (;;) {
      pattern.lastIndex = this.#at
      const found = pattern.exec(this.#text)
      if (found === null || found[0] === '') return
      this.#at += found[0].length
    }
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #expect(word: string): void {
    this.#skip(/[ \t]/y)
    if (!this.#take(word)) throw new SyntaxError(`expected ${word}`)
  }
}

const withoutEscapes = (raw: string): string =>
  raw.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([\s\S]))/g,
    (_, u, U, x, c) => {
      const code = u ?? U ?? x
      if (code === undefined) {
        const known = ESCAPES[c as string]
        if (known === undefined) throw new SyntaxError('an unknown escape')
        return known
      }
      const point = Number.parseInt(code, 16)
      if (point > 0x10ffff) throw new SyntaxError('no such character')
      return String.fromCodePoint(point)
    },
  )

/** The table at a path, made where it is not there yet; the last one of a list of tables. */
function descend(from: Building, path: readonly string[]): Building {
  let table = from
  for (const key of path) {
    const next = table[key] ?? Object.create(null)
    table[key] ??= next as Building
    const inner = Array.isArray(next) ? next.at(-1) : next
    if (typeof inner !== 'object' || inner === null) throw new SyntaxError('a value is no table')
    table = inner as Building
  }
  return table
}
