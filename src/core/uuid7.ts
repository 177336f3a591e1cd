import type { Instant } from './instant.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const hex = (byte: number | undefined): string => HEX[(byte ?? 0) & 0xff] ?? '00'

/** The first two groups: 48 bits of time. */
function timePart(at: Instant): string {
  const text = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0').slice(-12)
  return `${text.slice(0, 8)}-${text.slice(8)}`
}

/** The last group, 48 bits, from six bytes at `offset`. */
const tail = (bytes: Uint8Array, offset: number): string =>
  hex(bytes[offset]) +
  hex(bytes[offset + 1]) +
  hex(bytes[offset + 2]) +
  hex(bytes[offset + 3]) +
  hex(bytes[offset + 4]) +
  hex(bytes[offset + 5])

/** A UUIDv7 (RFC 9562) of this instant, from ten random bytes. */
export function uuid7(at: Instant, random: Uint8Array): string {
  const [a = 0, b = 0, c = 0, d = 0] = random
  return `${timePart(at)}-7${hex(a).slice(1)}${hex(b)}-${hex(0x80 | (c & 0x3f))}${hex(d)}-${tail(random, 4)}`
}

/** Makes ids that sort in the order they were made, also within one millisecond. */
export type Uuid7Source = (at: Instant) => string

const POOL_BYTES = 4096
/** Random bytes of one id: eight, after the 12 bits of `rand_a` that count. */
const ID_BYTES = 8

/**
 * A source of UUIDv7s whose order is the order of the calls. `fillRandom` fills the bytes given to
 * it; it is asked for a pool at a time. The 12 bits after the time count the ids of a millisecond
 * from a random start; when they run over, the time is carried one millisecond ahead.
 */
export function uuid7Source(fillRandom: (bytes: Uint8Array) => void): Uuid7Source {
  const pool = new Uint8Array(POOL_BYTES)
  let next = POOL_BYTES
  let last = -1
  let count = 0
  let prefix = ''
  return (at) => {
    if (next + ID_BYTES > POOL_BYTES) {
      fillRandom(pool)
      next = 0
    }
    const offset = next
    next += ID_BYTES
    const instant = Math.floor(at)
    if (instant > last) {
      last = instant
      prefix = timePart(last)
      // The start leaves at least half of the counter's room.
      count = (((pool[offset] ?? 0) & 0x07) << 8) | (pool[offset + 1] ?? 0)
    } else if (++count > 0xfff) {
      last += 1
      prefix = timePart(last)
      count = 0
    }
    const variant = 0x80 | ((pool[offset] ?? 0) >> 3)
    return `${prefix}-7${hex(count >> 8).slice(1)}${hex(count)}-${hex(variant)}${hex(pool[offset + 1])}-${tail(pool, offset + 2)}`
  }
}
