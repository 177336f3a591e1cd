import type { Log, LogEvent, LogLevel } from '../core/log.ts'
import { type Paint, painter } from './paint.ts'
import { printable } from './printable.ts'

const levels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

/** Where log lines go, and how. */
export interface LogOptions {
  readonly isTty: boolean
  readonly hasColour: boolean
  /** `SALLYPORT_LOG`; `info` when unset or not a level. */
  readonly level: string | undefined
  readonly now: () => number
}

/** Writes log events to a stream: JSON lines, or readable lines on a terminal. Never throws. */
export function createLog(stream: { write(text: string): unknown }, options: LogOptions): Log {
  const least = levels.indexOf(levels.find((l) => l === options.level) ?? 'info')
  const paint = painter(options.hasColour)
  return (level, event) => {
    if (levels.indexOf(level) > least) return
    try {
      const at = options.now()
      stream.write(options.isTty ? prettyLine(paint, at, level, event) : jsonLine(at, level, event))
    } catch {
      // A log that can not be written must not stop the gateway.
    }
  }
}

/** One event as one line of JSON, safe on a terminal and for line-based readers. */
export const jsonLine = (at: number, level: LogLevel, event: LogEvent): string =>
  `${printable.json(JSON.stringify({ time: new Date(at).toISOString(), level, ...event }))}\n`

function prettyLine(paint: Paint, at: number, level: LogLevel, event: LogEvent): string {
  const { event: name, ...fields } = event
  const colour = { error: paint.red, warn: paint.yellow, info: paint.green, debug: paint.dim }[
    level
  ]
  const time = clockTime(at)
  const lists: string[] = []
  const words = Object.entries(fields).flatMap(([key, value]) => {
    if (!Array.isArray(value)) return [`${paint.dim(`${key}=`)}${printable.text(String(value))}`]
    lists.push(...value.map((line) => `\n    ${printable.text(String(line))}`))
    return []
  })
  const head = `${paint.dim(time)} ${colour(level.padEnd(5))} ${paint.bold(name)}`
  return `${[head, ...words].join(' ')}${lists.join('')}\n`
}

/** Local time of day, to the millisecond. */
export function clockTime(at: number): string {
  const d = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const ms = String(d.getMilliseconds()).padStart(3, '0')
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${ms}`
}
