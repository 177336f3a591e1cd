import { policySchema } from '../../core/policy/index.ts'
import type { Command } from '../command.ts'

/** `policy schema`. */
export const command: Command = {
  usage: '',
  about: 'Prints the JSON Schema of policies, for editors and other programs.',
  flags: {},
  positionals: { min: 0, max: 0 },
  examples: [['policy schema > policy.v1.json', 'keep it beside your policies']],
  run: async (_words, io) => {
    io.stdout.write(`${JSON.stringify(policySchema(), null, 2)}\n`)
    return 0
  },
}
