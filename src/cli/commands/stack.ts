import type { StackView } from '../../core/contract/stack.ts'
import { apiFlags, openApi } from '../api.ts'
import { type Command, UsageError } from '../command.ts'
import { jsonFlag, nounCommands } from '../noun-commands.ts'

/** `stack list`, `stack show` and `stack rm`. */
export const { list, show, rm } = nounCommands<StackView>({
  noun: 'stack',
  path: 'stacks',
  key: 'NAME',
  exampleKey: 'work',
  heading: ['NAME', 'FROM', 'SERVERS'],
  row: (s) => [s.name, s.source, s.servers.join(' ')],
  fields: (s) => [
    ['name', s.name],
    ['id', s.id],
    ['from', s.source === 'file' ? 'the configuration file' : 'the admin API'],
    ['servers', s.servers.join(' ')],
  ],
  none: 'no stacks; make one with `sallyport stack add NAME --server NAME --server NAME`',
  removal: 'Removes a stack; its servers stay. Grants for it open nothing from then on.',
  removed: (name) => `stack ${name} is removed`,
})

/** `stack add`. */
export const add: Command = {
  usage: 'NAME --server NAME… [--url URL]',
  about: 'Makes one MCP endpoint of several servers of a running gateway: `/stacks/NAME`.',
  flags: {
    server: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      about: 'a member; lists show them in this order',
    },
    ...jsonFlag,
    ...apiFlags,
  },
  positionals: { min: 1, max: 1 },
  examples: [
    ['stack add work --server imaging --server stripe', 'tools named imaging__…, stripe__…'],
  ],
  run: async (words, io) => {
    const servers = words.texts('server')
    if (servers.length === 0)
      throw new UsageError('`stack add` needs `--server NAME`, for each member')
    const body = JSON.stringify({ name: words.positionals[0], servers })
    const made = (await openApi(words, io).post('stacks', body)) as StackView
    if (words.has('json')) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
    else io.stderr.write(`stack ${made.name} is made of ${made.servers.join(', ')}\n`)
    return 0
  },
}
