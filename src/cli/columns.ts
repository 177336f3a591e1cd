import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

/** Rows as aligned columns under a heading; nothing in a cell can break a line. */
export function columns(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const cells = rows.map((row) => row.map((cell) => printable.text(cell)))
  const widths = heading.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => (row[i] ?? '').length)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [paint.dim(line(heading)), ...cells.map(line)].map((l) => `${l}\n`).join('')
}

/** One thing as `name  value` lines. */
export function listing(fields: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields
    .map(([name, value]) => `${paint.dim(name.padEnd(width))}  ${printable.text(value)}\n`)
    .join('')
}
