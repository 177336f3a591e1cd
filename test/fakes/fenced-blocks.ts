import { readFileSync } from 'node:fs'

/** A fenced block of a Markdown file. */
export interface FencedBlock {
  readonly file: string
  readonly line: number
  readonly language: string
  readonly text: string
}

/** Every fenced block of a Markdown file, in order. */
export function fencedBlocks(file: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = []
  let open: { language: string; line: number; lines: string[] } | undefined
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const fence = /^```(\S*)/.exec(line)
    if (fence === null) open?.lines.push(line)
    else if (open === undefined) open = { language: fence[1] ?? '', line: index + 1, lines: [] }
    else {
      const { language, line: at, lines } = open
      blocks.push({ file, line: at, language, text: `${lines.join('\n')}\n` })
      open = undefined
    }
  }
  return blocks
}
