import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { exactText } from '../../core/json/exact-text.ts'
import { importIntercept } from '../../core/policy/index.ts'
import { type Command, CommandError } from '../command.ts'
import { readConfigText } from '../config.ts'
import { problemLine } from '../load.ts'
import { printable } from '../printable.ts'

/** `policy import`. */
export const command: Command = {
  usage: 'FILE [--out FILE]',
  about:
    "Turns a policy in Intercept's YAML into ours, with the same decisions. What can not be carried over is an error that names it.",
  flags: {
    out: { type: 'string', value: 'FILE', about: 'write there (a new file) instead of to stdout' },
  },
  positionals: { min: 1, max: 1 },
  examples: [['policy import intercept.yaml --out policy.json', 'to a file of its own']],
  run: async (words, io) => {
    const [named = ''] = words.positionals
    const text = readConfigText(resolve(io.cwd, named))
    if (typeof text !== 'string') throw new CommandError(problemLine({ ...text, file: named }))
    const result = importIntercept(text)
    if (!result.ok) {
      for (const p of result.problems)
        io.stderr.write(`${printable.text(problemLine({ ...p, file: named }))}\n`)
      return 1
    }
    const json = `${exactText(result.document, 2)}\n`
    const out = words.text('out')
    if (out === undefined) io.stdout.write(json)
    else {
      try {
        writeFileSync(resolve(io.cwd, out), json, { flag: 'wx' })
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        throw new CommandError(
          code === 'EEXIST'
            ? `${out} is there already; name a new file`
            : `${out} can not be written (${code})`,
          { cause: error },
        )
      }
      io.stderr.write(`wrote ${out}; check it with \`sallyport policy validate ${out}\`\n`)
    }
    return 0
  },
}
