/** A Markdown table; the first column is text, the others are numbers and stand to the right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows.map(escaped)]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

const escaped = (cells: readonly string[]): readonly string[] =>
  cells.map((cell) => cell.replaceAll('|', '\\|'))

/** A number with grouped thousands, or a dash when there is none. */
export const shown = (value: number, digits = 0): string =>
  Number.isFinite(value)
    ? value.toLocaleString('en-US', {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })
    : '–'
