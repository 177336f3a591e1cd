import type { DecisionRecord } from '../core/record/record.ts'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

/** One decision as one line for people: when, what, on which tool, for whom, and why. */
export function decisionLine(record: DecisionRecord, paint: Paint): string {
  const { word, colour } = verdictOf(record, paint)
  const cell = (text: string, width: number): string => {
    const shown = printable.text(text)
    const cut = shown.length > width ? `${shown.slice(0, width - 1)}…` : shown
    return cut.padEnd(width)
  }
  const why = [record.rule, record.code, record.message]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => printable.text(part ?? ''))
    .join('  ')
  return [
    paint.dim(localTime(record.at)),
    colour(word.padEnd(8)),
    cell(record.server, 14),
    paint.bold(cell(record.tool ?? `(${record.method})`, 28)),
    cell(record.grant.label, 18),
    paint.dim(`${Math.round(record.latencyMs)} ms`.padStart(8)),
    why,
  ]
    .join('  ')
    .trimEnd()
}

function verdictOf(
  record: DecisionRecord,
  paint: Paint,
): { word: string; colour: (text: string) => string } {
  if (record.outcome === 'failed') return { word: 'failed', colour: paint.yellow }
  if (record.outcome === 'exhausted') return { word: 'limit', colour: paint.yellow }
  if (record.effect === 'allow') return { word: 'allow', colour: paint.green }
  const isObserved = record.outcome === 'forwarded'
  // In observe mode the decision is on record and binds nothing.
  const word = isObserved ? `(${record.effect})` : record.effect
  return { word, colour: record.effect === 'approve' ? paint.yellow : paint.red }
}

/** Date and time of day here. */
export function localTime(at: number): string {
  const d = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`
  return `${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
}
