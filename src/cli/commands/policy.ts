import { resolve } from 'node:path'
import type { PolicyView } from '../../core/contract/policy.ts'
import { exactText } from '../../core/json/exact-text.ts'
import { loadPolicy } from '../../core/policy/index.ts'
import { apiFlags, openApi } from '../api.ts'
import { type Command, CommandError } from '../command.ts'
import { readConfigText } from '../config.ts'
import { policyFormat, problemLine } from '../load.ts'
import { jsonFlag, nounCommands } from '../noun-commands.ts'
import { printable } from '../printable.ts'

type Shown = PolicyView & { document?: unknown }

/** `policy list`, `policy show` and `policy rm`. */
export const { list, show, rm } = nounCommands<Shown>({
  noun: 'policy',
  path: 'policies',
  key: 'NAME',
  exampleKey: 'readonly',
  heading: ['NAME', 'VERSION', 'FROM'],
  row: (p) => [p.name, p.version, p.source],
  fields: (p) => [
    ['name', p.name],
    ['id', p.id],
    ['version', p.version],
    ['from', p.source === 'file' ? 'the configuration file' : 'the admin API'],
    ...(p.document === null || p.document === undefined
      ? []
      : [['document', JSON.stringify(p.document)] as const]),
  ],
  none: 'no policies; add one with `sallyport policy add NAME FILE`',
  removal: 'Removes a policy. Grants that name it are denied everything from then on.',
  removed: (name) => `policy ${name} is removed`,
})

/** `policy add`. */
export const add: Command = {
  usage: 'NAME FILE [--url URL]',
  about: 'Puts a policy into a running gateway, or replaces it there. It is validated first.',
  flags: { ...jsonFlag, ...apiFlags },
  positionals: { min: 2, max: 2 },
  examples: [['policy add readonly readonly.json', 'as it stands in the file']],
  run: async (words, io) => {
    const [name = '', named = ''] = words.positionals
    const file = resolve(io.cwd, named)
    const text = readConfigText(file)
    if (typeof text !== 'string') throw new CommandError(problemLine({ ...text, file: named }))
    const format = policyFormat(file)
    const loaded = loadPolicy(text, { format })
    if (!loaded.ok) {
      for (const problem of loaded.problems)
        io.stderr.write(`${printable.text(problemLine({ ...problem, file: named }))}\n`)
      return 1
    }
    const body = format === 'json' ? text : exactText(loaded.document)
    const path = `policies/${encodeURIComponent(name)}`
    const written = (await openApi(words, io).put(path, body)) as PolicyView
    if (words.has('json')) io.stdout.write(`${JSON.stringify(written, null, 2)}\n`)
    else io.stderr.write(`policy ${name} is in force, version ${written.version}\n`)
    return 0
  },
}
