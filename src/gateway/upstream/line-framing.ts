/** What a framing tells of: whole lines, and lines that were too long to keep. */
export interface LineEvents {
  /** A line without its end (`\n` or `\r\n`); never empty. */
  line(bytes: Buffer): void
  /** A line that passed the bound: its first and last bytes, and how many there were. */
  tooLong(head: Buffer, tail: Buffer, total: number): void
}

/** Splits a stream of bytes into lines. */
export interface LineFraming {
  push(chunk: Buffer): void
  /** The stream has ended: what stands without a line end is a line as well. */
  end(): void
}

const NEWLINE = 0x0a
const RETURN = 0x0d
/** How much of a line that is too long is kept from either end. */
const KEPT_BYTES = 1024

/**
 * A line framing that never holds more than `maxBytes` of an unfinished line: the rest of a longer
 * one is skipped, and told of once it ends.
 */
export function createLineFraming(maxBytes: number, events: LineEvents): LineFraming {
  let parts: Buffer[] = []
  let held = 0
  /** Set while a line that is too long goes by. */
  let skipped: { readonly head: Buffer; tail: Buffer; total: number } | undefined

  const keep = (part: Buffer): void => {
    if (skipped !== undefined) {
      skipped.total += part.length
      skipped.tail = Buffer.concat([skipped.tail, part.subarray(-KEPT_BYTES)]).subarray(-KEPT_BYTES)
      return
    }
    parts.push(part)
    held += part.length
    if (held <= maxBytes) return
    const all = Buffer.concat(parts)
    skipped = {
      head: Buffer.from(all.subarray(0, KEPT_BYTES)),
      tail: Buffer.from(all.subarray(-KEPT_BYTES)),
      total: held,
    }
    parts = []
    held = 0
  }

  const finish = (): void => {
    if (skipped !== undefined) {
      const { head, tail, total } = skipped
      skipped = undefined
      events.tooLong(head, tail, total)
      return
    }
    const [only] = parts
    const whole = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    parts = []
    held = 0
    const line = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole
    if (line.length > 0) events.line(line)
  }

  return {
    push(chunk) {
      let from = 0
      for (;;) {
        const to = chunk.indexOf(NEWLINE, from)
        if (to === -1) break
        if (to > from) keep(chunk.subarray(from, to))
        finish()
        from = to + 1
      }
      if (from < chunk.length) keep(chunk.subarray(from))
    },
    end: finish,
  }
}

/**
 * The JSON-RPC id of a message of which only the two ends are known; undefined when neither shows
 * it. Right for any valid JSON: the id stands directly behind the first brace's `jsonrpc`, or
 * directly before the last brace, and both of these are the message's own.
 */
export function idFromEnds(head: Buffer, tail: Buffer): string | number | undefined {
  const start = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d+|"[^"\\]*")\s*,/
  const end = /,\s*"id"\s*:\s*(-?\d+|"[^"\\]*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/
  const found = start.exec(head.toString()) ?? end.exec(tail.toString())
  return found?.[1] === undefined ? undefined : (JSON.parse(found[1]) as string | number)
}
