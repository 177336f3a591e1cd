import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '../../core/ports.ts'

const MAX_LINE_LENGTH = 2_000
const MAX_LINES_PER_SECOND = 50

// Control characters, line separators and bidirectional overrides: a terminal acts on them.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** The text with everything that a terminal would act on shown as `\u{hex}`. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`)

/** Gives what a child writes to stderr line by line, bounded in length and in lines a second. */
export function createStderrLines(clock: Clock, said: (line: string) => void) {
  const decoder = new StringDecoder('utf8')
  let line = ''
  let isCut = false
  let second = Number.NEGATIVE_INFINITY
  let lines = 0
  let dropped = 0

  const flush = (): void => {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    const cut = isCut ? '…' : ''
    line = ''
    isCut = false
    if (text === '') return
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      lines = 0
      if (dropped > 0) said(`(${dropped} more lines were dropped)`)
      dropped = 0
    }
    if (lines >= MAX_LINES_PER_SECOND) {
      dropped++
      return
    }
    lines++
    said(printable(text) + cut)
  }

  return {
    push(chunk: Buffer): void {
      const pieces = decoder.write(chunk).split('\n')
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) flush()
        const room = MAX_LINE_LENGTH - line.length
        line += piece.slice(0, room)
        if (piece.length > room) isCut = true
      }
    },
    end(): void {
      flush()
      if (dropped > 0) said(`(${dropped} more lines were dropped)`)
      dropped = 0
    },
  }
}
