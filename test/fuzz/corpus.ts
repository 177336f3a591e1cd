import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { shrink } from './fuzz.ts'
import type { FuzzTarget } from './target.ts'

const folder = new URL('corpus/', import.meta.url)
const fileOf = (target: FuzzTarget): URL => new URL(`${target.name}.jsonl`, folder)

/** The inputs that earlier runs found worth keeping, one JSON string in each line. */
export function readCorpus(target: FuzzTarget): readonly string[] {
  const file = fileOf(target)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string)
}

/** Adds inputs, each as short as its kind allows; always in the same order. */
export function keep(target: FuzzTarget, inputs: readonly string[]): void {
  const small = inputs.map((input) => {
    const kind = target.check(input)
    return shrink(input, (text) => target.check(text) === kind)
  })
  const all = [...new Set([...readCorpus(target), ...small])].toSorted(
    (a, b) => a.length - b.length || (a < b ? -1 : 1),
  )
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(target), all.map((input) => `${JSON.stringify(input)}\n`).join(''))
}
