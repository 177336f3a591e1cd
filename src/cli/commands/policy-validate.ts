import { resolve } from 'node:path'
import { loadPolicy } from '../../core/policy/index.ts'
import type { Command } from '../command.ts'
import { readConfigText } from '../config.ts'
import { type FileProblem, policyFormat, problemLine } from '../load.ts'
import { jsonFlag } from '../noun-commands.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { hasColour } from '../stream.ts'

/** `policy validate`. */
export const command: Command = {
  usage: 'FILE… [--json]',
  about: 'Checks policy files and prints every problem with its place. Exits 1 if there is one.',
  flags: jsonFlag,
  positionals: { min: 1, max: Number.POSITIVE_INFINITY },
  examples: [
    ['policy validate readonly.json', 'one file'],
    ['policy validate policies/*.yaml --json', 'many, for a program'],
  ],
  run: async (words, io) => {
    const results = words.positionals.map((file) => ({
      file,
      ...check(file, resolve(io.cwd, file)),
    }))
    const isValid = results.every((r) => r.problems.length === 0)
    if (words.has('json')) {
      io.stdout.write(`${JSON.stringify({ valid: isValid, files: results }, null, 2)}\n`)
      return isValid ? 0 : 1
    }
    const paint = painter(hasColour(io.stdout, io.env))
    for (const { file, problems, warnings } of results) {
      for (const p of problems) io.stdout.write(`${printable.text(problemLine({ ...p, file }))}\n`)
      for (const p of warnings)
        io.stdout.write(
          `${printable.text(problemLine({ ...p, file, message: `warning: ${p.message}` }))}\n`,
        )
      if (problems.length === 0) io.stdout.write(`${paint.green('ok')} ${printable.text(file)}\n`)
    }
    return isValid ? 0 : 1
  },
}

type Found = Omit<FileProblem, 'file'>

function check(
  named: string,
  file: string,
): { problems: readonly Found[]; warnings: readonly Found[] } {
  const text = readConfigText(file)
  if (typeof text !== 'string') return { problems: [text], warnings: [] }
  const result = loadPolicy(text, { format: policyFormat(named) })
  return result.ok
    ? { problems: [], warnings: result.warnings }
    : { problems: result.problems, warnings: [] }
}
