import type { Instant } from '../instant.ts'

/** The clock on the wall: what `time.*` reads. */
export interface WallClock {
  /** 0 to 23. */
  readonly hour: number
  /** `mon` to `sun`. */
  readonly weekday: string
  /** `YYYY-MM-DD`. */
  readonly date: string
}

const formatFor = (timezone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    weekday: 'short',
  })

/** True for an IANA time zone that this machine knows. */
export function isTimezone(name: string): boolean {
  // Offsets such as `+02:00` are taken by newer engines only; a policy must mean the same in all.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return false
  try {
    formatFor(name)
    return true
  } catch {
    return false
  }
}

/** The latest and earliest instant that has a date. */
const MAX_INSTANT = 8.64e15

/** Tells the wall clock of a zone; the last minute is remembered. */
export function createCalendar(timezone: string): (at: Instant) => WallClock | undefined {
  let format: Intl.DateTimeFormat | undefined
  let minute = Number.NaN
  let now: WallClock | undefined
  return (at) => {
    if (!(Math.abs(at) <= MAX_INSTANT)) return undefined
    const asked = Math.floor(at / 60_000)
    if (now === undefined || asked !== minute) {
      format ??= formatFor(timezone)
      const parts = new Map(format.formatToParts(at).map((p) => [p.type, p.value]))
      const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
      now = {
        hour: Number(part('hour')),
        weekday: part('weekday').toLowerCase(),
        date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
      }
      minute = asked
    }
    return now
  }
}
