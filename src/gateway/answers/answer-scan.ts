import { isUtf8 } from 'node:buffer'
import { fold } from '../../core/fold.ts'
import { MAX_DEPTH } from '../../core/json/parse.ts'
import type { FrameId } from '../../core/mcp/frame-model.ts'

/**
 * Reads an answer while it streams by, byte by byte, and tells whether it is one JSON-RPC answer to
 * one request. Nothing is built of it but its envelope.
 */

/** What may come next. */
const VALUE = 0
const VALUE_OR_END = 1
const KEY = 2
const KEY_OR_END = 3
const COLON = 4
const AFTER = 5
const STRING = 6
const ESCAPE = 7
const UNICODE = 8
const NUMBER = 9
const WORD = 10
const DONE = 11
/** Deep inside a large answer: only strings and brackets are followed. */
const SKIM = 12
const SKIPPED = 13

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OBJECT = 1
const ARRAY = 2

/** Bytes of a string that are looked at one by one before its end is searched for. */
const NEAR = 64
/** Bytes of an answer from which on the insides of long strings are skipped. */
const LARGE = 16 << 10
/** Bytes of a key, an id, a number. */
const MAX_TOKEN = 4096
/** Members of the envelope, and of the result, whose names are held against each other. */
const MAX_KEYS = 256

const NUMBER_TEXT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const WORDS = new Set(['true', 'false', 'null'])
const ENVELOPE = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

const isBlank = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
const isInWord = (c: number): boolean => c >= 0x61 && c <= 0x7a
const isInNumber = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x2e || c === 0x65 || c === 0x45
const isHex = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46)
/** `"`, `\`, `/`, b, f, n, r, t. */
const isEscape = (c: number): boolean =>
  c === QUOTE || c === BACKSLASH || c === 0x2f || 'bfnrt'.includes(String.fromCharCode(c))

/** One answer on its way. */
export class AnswerScan {
  readonly #id: FrameId | undefined
  #state = VALUE
  /** What encloses the place, outermost first. */
  readonly #nesting: number[] = []
  #depth = 0
  #seen = 0
  /** Bytes at the end that may be the beginning of a character. */
  #split: Uint8Array | undefined
  #isKey = false
  #keeps = false
  #token = ''
  #hexLeft = 0
  /** The depth from which on the answer is skimmed; 0 where it is read. */
  #skimsFrom = 0
  /** The member of the envelope, and the one of the result, that the place is in. */
  #outer: string | undefined
  #inner: string | undefined
  readonly #outerKeys: string[] = []
  readonly #innerKeys: string[] = []
  #isVersioned = false
  #idText: string | undefined
  #resultType: string | undefined
  #problem: string | undefined

  readonly #large: number
  #isLarge = false

  /**
   * `id` of the request that is answered; undefined for a frame that has no answer but an error.
   * From `large` bytes on, what is inside the members of a result is only followed, not judged:
   * its reader does that.
   */
  constructor(id: FrameId | undefined, large = LARGE) {
    this.#id = id
    this.#large = large
  }

  /** `resultType` of the result so far; undefined while none was read. */
  get resultType(): string | undefined {
    return this.#resultType
  }

  /** Why this is no answer; undefined while it may be one. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** True once the outermost object is closed. */
  get isWhole(): boolean {
    return this.#state === DONE
  }

  /** Takes the next bytes; false once it can be no answer any more. */
  push(bytes: Uint8Array): boolean {
    if (this.#problem !== undefined) return false
    if (!this.#isUtf8(bytes)) return this.#fail('its bytes are not UTF-8')
    this.#seen += bytes.length
    this.#isLarge = this.#seen > this.#large
    let at = 0
    while (at < bytes.length && this.#problem === undefined)
      at =
        this.#state === STRING
          ? this.#string(bytes, at)
          : this.#state === SKIM
            ? this.#skim(bytes, at)
            : this.#step(bytes, at)
    return this.#problem === undefined
  }

  /** The answer is over; undefined when it is whole and answers the request, else why not. */
  end(): string | undefined {
    if (this.#problem !== undefined) return this.#problem
    if (this.#state !== DONE || this.#split !== undefined) return 'it breaks off'
    return this.#envelope()
  }

  #fail(problem: string): false {
    this.#problem = problem
    return false
  }

  #isUtf8(bytes: Uint8Array): boolean {
    const before = this.#split
    const last = bytes.at(-1) ?? 0
    if (before === undefined && last < 0x80) return isUtf8(bytes)
    const all = before === undefined ? bytes : Buffer.concat([before, bytes])
    const end = all.length - unfinished(all)
    this.#split = end === all.length ? undefined : Uint8Array.from(all.subarray(end))
    return isUtf8(all.subarray(0, end))
  }

  /** Goes on inside a string; gives where it stopped. */
  #string(bytes: Uint8Array, from: number): number {
    if (this.#isLarge && !this.#keeps) return this.#skimString(bytes, from)
    let at = from
    let c = 0
    for (; at < bytes.length; at++) {
      c = bytes[at] as number
      if (c === QUOTE || c === BACKSLASH || c < 0x20) break
    }
    if (this.#keeps) this.#keep(bytes, from, at)
    if (at === bytes.length) return at
    if (c === QUOTE) this.#stringEnds()
    else if (c === BACKSLASH) {
      if (this.#keeps) this.#token += '\\'
      this.#state = ESCAPE
    } else this.#fail('a control character stands in a string')
    return at + 1
  }

  /** The same in a large answer: only the end is looked for, far ahead where it is not near. */
  #skimString(bytes: Uint8Array, from: number): number {
    let near = from + NEAR
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at]
      if (c === QUOTE) {
        this.#stringEnds()
        return at + 1
      }
      if (c === BACKSLASH) {
        near = ++at + NEAR
        if (at === bytes.length) this.#state = SKIPPED
      } else if (at === near) {
        const quote = bytes.indexOf(QUOTE, at)
        const end = quote === -1 ? bytes.length : quote
        let slashes = 0
        while (bytes[end - 1 - slashes] === BACKSLASH) slashes++
        // An odd one escapes what comes next: the quote, or what the next bytes begin with.
        at = end - 1 - (slashes % 2)
        near = end + NEAR
      }
    }
    return bytes.length
  }

  /** Follows strings and brackets until the place is no longer deep inside; gives where it stopped. */
  #skim(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at] as number
      if (c === QUOTE) {
        const end = shortStringEnd(bytes, at + 1)
        if (end === -1) {
          this.#begin(STRING, false)
          this.#isKey = false
          return at + 1
        }
        at = end
      } else if ((c | 0x20) === 0x7b) {
        this.#open(c === 0x7b ? OBJECT : ARRAY, SKIM)
        if (this.#problem !== undefined) return at
      } else if ((c | 0x20) === 0x7d) {
        if (this.#nesting[this.#depth - 1] !== (c === 0x7d ? OBJECT : ARRAY)) {
          this.#fail('it is not JSON')
          return at
        }
        this.#close()
        if (this.#state !== SKIM) return at + 1
      }
    }
    return bytes.length
  }

  #step(bytes: Uint8Array, at: number): number {
    const c = bytes[at] as number
    switch (this.#state) {
      case ESCAPE:
        this.#escape(c)
        return at + 1
      case SKIPPED:
        this.#state = STRING
        return at + 1
      case UNICODE:
        if (!isHex(c)) this.#fail('an escape is broken')
        if (this.#keeps) this.#token += String.fromCharCode(c)
        if (--this.#hexLeft === 0) this.#state = STRING
        return at + 1
      case NUMBER:
        return this.#run(bytes, at, isInNumber)
      case WORD:
        return this.#run(bytes, at, isInWord)
      default:
        if (!isBlank(c)) this.#structure(c)
        return this.#state === NUMBER || this.#state === WORD ? at : at + 1
    }
  }

  #escape(c: number): void {
    if (this.#keeps) this.#token += String.fromCharCode(c)
    this.#state = STRING
    if (c === 0x75) {
      this.#state = UNICODE
      this.#hexLeft = 4
    } else if (!isEscape(c)) this.#fail('an escape is unknown')
  }

  /** A number or a word, as far as it goes; what ends it is looked at again. */
  #run(bytes: Uint8Array, from: number, isPart: (c: number) => boolean): number {
    let at = from
    while (at < bytes.length && isPart(bytes[at] as number)) at++
    this.#keep(bytes, from, at)
    if (at === bytes.length) return at
    const isValid = this.#state === NUMBER ? NUMBER_TEXT.test(this.#token) : WORDS.has(this.#token)
    if (!isValid) this.#fail('a value is no JSON')
    else this.#scalarEnds(this.#token)
    return at
  }

  #structure(c: number): void {
    const state = this.#state
    if (state === DONE) this.#fail('something follows it')
    else if (state === COLON) this.#expect(c === 0x3a, VALUE)
    else if (state === AFTER) this.#after(c)
    else if (state === KEY || state === KEY_OR_END) this.#key(c)
    else if (c === 0x5d && state === VALUE_OR_END) this.#close()
    else this.#value(c)
  }

  #expect(isThere: boolean, next: number): void {
    if (isThere) this.#state = next
    else this.#fail('it is not JSON')
  }

  #after(c: number): void {
    const inside = this.#nesting[this.#depth - 1]
    if (c === 0x2c) this.#state = inside === OBJECT ? KEY : VALUE
    else if (c === (inside === OBJECT ? 0x7d : 0x5d)) this.#close()
    else this.#fail('it is not JSON')
  }

  #key(c: number): void {
    if (c === 0x7d && this.#state === KEY_OR_END) this.#close()
    else if (c !== QUOTE) this.#fail('it is not JSON')
    else {
      this.#begin(STRING, this.#depth === 1 || this.#isInResult(2))
      this.#isKey = true
    }
  }

  /** True at a depth of the result's own members. */
  #isInResult(depth: number): boolean {
    return this.#depth === depth && this.#outer === 'result'
  }

  #value(c: number): void {
    // The whole, a result and an error are objects, or this is no answer.
    const isTop = this.#depth === 0
    const isBody = this.#depth === 1 && (this.#outer === 'result' || this.#outer === 'error')
    if ((isTop || isBody) && c !== 0x7b)
      this.#fail(isTop ? 'it is no JSON object' : 'its result or error is no object')
    else if (c === 0x7b) this.#open(OBJECT, KEY_OR_END)
    else if (c === 0x5b) this.#open(ARRAY, VALUE_OR_END)
    else if (c === QUOTE) {
      this.#begin(STRING, this.#isNeeded())
      this.#isKey = false
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) this.#begin(NUMBER, true)
    else if (isInWord(c)) this.#begin(WORD, true)
    else this.#fail('it is not JSON')
  }

  /** True where a scalar's value matters. */
  #isNeeded(): boolean {
    return (
      (this.#depth === 1 && (this.#outer === 'jsonrpc' || this.#outer === 'id')) ||
      (this.#isInResult(2) && this.#inner === 'resultType')
    )
  }

  #begin(state: number, keeps: boolean): void {
    this.#state = state
    this.#keeps = keeps
    this.#token = ''
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#token.length + to - from > MAX_TOKEN) this.#fail('a name or a number is too long')
    else if (to > from) this.#token += latin1(bytes, from, to)
  }

  #open(kind: number, next: number): void {
    if (this.#depth === MAX_DEPTH) this.#fail('it is nested too deeply')
    else {
      this.#nesting[this.#depth++] = kind
      this.#state = this.#isLarge && this.#depth > 2 ? SKIM : next
      if (this.#state === SKIM) this.#skimsFrom ||= this.#depth
    }
  }

  #close(): void {
    if (this.#skimsFrom === this.#depth) this.#skimsFrom = 0
    this.#depth--
    this.#state = this.#skimsFrom > 0 ? SKIM : this.#depth === 0 ? DONE : AFTER
  }

  #stringEnds(): void {
    if (this.#skimsFrom > 0) {
      this.#state = SKIM
      return
    }
    const text = this.#keeps ? unescaped(this.#token) : ''
    if (!this.#isKey) {
      this.#scalarEnds(text, true)
      return
    }
    this.#state = COLON
    if (this.#depth === 1) {
      this.#outer = text
      this.#name(this.#outerKeys, text)
      if (text === 'method') this.#fail('it is a request')
      else if (!ENVELOPE.has(text) && ENVELOPE.has(fold(text)))
        this.#fail('a name of it differs only in form from a known one')
    } else if (this.#isInResult(2)) {
      this.#inner = text
      this.#name(this.#innerKeys, text)
    }
  }

  #name(keys: string[], key: string): void {
    if (keys.includes(key)) this.#fail('a name of it is repeated')
    else if (keys.length < MAX_KEYS) keys.push(key)
    else this.#fail('it has too many members')
  }

  #scalarEnds(text: string, isString = false): void {
    this.#state = AFTER
    if (!this.#isNeeded()) return
    if (this.#depth === 2) this.#resultType = isString ? text : `(${text})`
    else if (this.#outer === 'id') this.#idText = isString ? JSON.stringify(text) : text
    else this.#isVersioned = isString && text === '2.0'
  }

  #envelope(): string | undefined {
    const hasResult = this.#outerKeys.includes('result')
    const hasError = this.#outerKeys.includes('error')
    if (!this.#isVersioned) return 'it is not of JSON-RPC 2.0'
    if (hasResult === hasError) return 'it holds neither a result nor an error, or both'
    // Who could not read a request can not say whose error it is.
    if (hasError && (this.#idText === undefined || this.#idText === 'null')) return undefined
    if (this.#id === undefined || this.#idText === undefined) return 'it answers no request'
    const isSame =
      typeof this.#id === 'string'
        ? this.#idText === JSON.stringify(this.#id)
        : this.#idText[0] !== '"' && Number(this.#idText) === this.#id
    return isSame ? undefined : 'it answers another request'
  }
}

/** The quote that ends a short string without escapes; -1 where it must be looked for. */
function shortStringEnd(bytes: Uint8Array, from: number): number {
  const most = Math.min(bytes.length, from + NEAR)
  for (let at = from; at < most; at++) {
    const c = bytes[at]
    if (c === QUOTE) return at
    if (c === BACKSLASH) return -1
  }
  return -1
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  (Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  ).toString('latin1', from, to)

/** How many bytes at the end are the beginning of a character that is not all there yet. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needs > back ? back : 0
  }
  return 0
}

const PLAIN = /^[\x20-\x7e]*$/

/** What the inside of a JSON string stands for; it was read as Latin-1. */
const unescaped = (token: string): string =>
  PLAIN.test(token) && !token.includes('\\')
    ? token
    : (JSON.parse(`"${Buffer.from(token, 'latin1').toString('utf8')}"`) as string)
